"""The sandbox's disks: what a CSI driver and its external provisioner are to a real cluster."""
