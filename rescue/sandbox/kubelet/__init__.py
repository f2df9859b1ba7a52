"""The sandbox's kubelet: pods as real containers, run by podman."""
