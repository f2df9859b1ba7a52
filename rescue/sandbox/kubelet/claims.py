"""Which folder of the host is behind a PersistentVolumeClaim of a pod (the kubelet's volume manager)."""

from pathlib import Path

from rescue.sandbox.kubelet.hostpath import check_host_path
from rescue.sandbox.kubelet.payload import AttachError, ProcessError, VolumeError, World
from rescue.sandbox.storage.disks import Disks
from rescue.sandbox.storage.requests import DRIVER
from rescue.sandbox.store import Object
from rescue.sandbox.volumes import claim_name, is_for_pod, stranger

_SHARED_MODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})


def claimed(volume: Object, world: World, disks: Disks) -> tuple[Path, Object]:
    """The folder behind a volume of the pod, and its PersistentVolume; VolumeError."""
    claim = _bound_claim(volume, world)
    found = world.lookup("persistentvolumes", claim["spec"]["volumeName"])
    if found is None:
        raise _processing(claim, f"failed to fetch PV {claim['spec']['volumeName']} from API server: not found")
    _check_attachment(found, claim, world)
    spec = found["spec"]
    if "csi" in spec:
        return _disk(spec["csi"], disks), found
    if "hostPath" in spec:
        return check_host_path(spec["hostPath"]), found
    if "local" in spec:
        return _local(Path(spec["local"]["path"])), found
    raise VolumeError("the sandbox has no volumes of this type")


def takes_group(volume: Object) -> bool:
    """Whether fsGroup applies: to disks for one node, as CSI drivers do by default."""
    spec = volume["spec"]
    return "csi" not in spec or any(mode.startswith("ReadWriteOnce") for mode in spec["accessModes"])


def _bound_claim(volume: Object, world: World) -> Object:
    meta, name = world.pod["metadata"], claim_name(world.pod, volume)
    claim = world.lookup("persistentvolumeclaims", name)
    if claim is None:
        claim = {"metadata": {"namespace": meta["namespace"], "name": name}}
        raise _processing(claim, f'failed to fetch PVC from API server: persistentvolumeclaim "{name}" not found')
    if "deletionTimestamp" in claim["metadata"]:
        raise _processing(claim, "PVC is being deleted")
    if claim.get("status", {}).get("phase") != "Bound":
        raise _processing(claim, "PVC is not bound")
    if "ephemeral" in volume and not is_for_pod(world.pod, claim):
        raise ProcessError(stranger(world.pod, claim))
    return claim


def _processing(claim: Object, why: str) -> ProcessError:
    meta = claim["metadata"]
    return ProcessError(f"error processing PVC {meta['namespace']}/{meta['name']}: {why}")


def _disk(csi: Object, disks: Disks) -> Path:
    if csi["driver"] != DRIVER:
        raise VolumeError(
            "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: "
            f"driver name {csi['driver']} not found in the list of registered CSI drivers"
        )
    path = disks.path(csi["volumeHandle"])
    if not path.exists():
        raise VolumeError(f"rpc error: code = NotFound desc = volume {csi['volumeHandle']} does not exist")
    return path


def _local(path: Path) -> Path:
    if not path.exists():
        raise ProcessError(f'path "{path}" does not exist')
    return path


def _check_attachment(volume: Object, claim: Object, world: World) -> None:
    """A disk for one node cannot be on two: AttachError when a pod on another node uses the claim."""
    if _SHARED_MODES & set(volume["spec"]["accessModes"]) or "csi" not in volume["spec"]:
        return
    users = sorted(pod["metadata"]["name"] for pod in world.elsewhere() if _uses(pod, claim))
    if users:
        name = volume["metadata"]["name"]
        raise AttachError(f'Multi-Attach error for volume "{name}" Volume is already used by pod(s) {", ".join(users)}')


def _uses(pod: Object, claim: Object) -> bool:
    return any(claim_name(pod, volume) == claim["metadata"]["name"] for volume in pod["spec"].get("volumes", []))
