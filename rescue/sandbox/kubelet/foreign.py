"""Volumes that the sandbox cannot mount: what a kubelet says that has no driver for them."""

from rescue.sandbox.kubelet.payload import MounterError, ProcessError, VolumeError, World
from rescue.sandbox.store import Object

_NOT_REGISTERED = (
    "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: "
    "driver name {} not found in the list of registered CSI drivers"
)
_NO_DRIVER = 'volume mode "Ephemeral" not supported by driver {} (no CSIDriver object)'
_GIT_REPO = "git-repo volume plugin has been disabled; if necessary, it may be re-enabled by enabling the feature-gate"


def foreign(volume: Object, world: World) -> VolumeError:
    """The error for a volume of a type that is not mounted here."""
    kind = next(key for key in volume if key != "name")
    if kind == "csi":
        driver = volume["csi"]["driver"]
        known = world.lookup("csidrivers", driver) is not None
        return VolumeError(_NOT_REGISTERED.format(driver)) if known else MounterError(_NO_DRIVER.format(driver))
    if kind == "nfs":
        return VolumeError(_mount_failed(volume["nfs"]))
    if kind == "gitRepo":
        return VolumeError(_GIT_REPO)
    return ProcessError(
        f'failed to get Plugin from volumeSpec for volume "{volume["name"]}" err=no volume plugin matched'
    )


def _mount_failed(source: Object) -> str:
    where = f"{source['server']}:{source['path']}"
    return (
        "mount failed: exit status 32\nMounting command: mount\n"
        f"Mounting arguments: -t nfs {where}\nOutput: mount.nfs: Connection refused for {where}\n"
    )
