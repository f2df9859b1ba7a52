"""The filters by volumes: what is wrong with the pod's claims, and who else uses them (volumebinding and others)."""

from rescue.sandbox.objects import Object
from rescue.sandbox.placement.nodes import matches
from rescue.sandbox.placement.scene import Host, Refusal, Scene
from rescue.sandbox.storage.matching import NO_PROVISIONER, delays, match
from rescue.sandbox.volumes import claim_name, is_for_pod, stranger

_ONCE = "ReadWriteOncePod"
_SHARED = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
_WAITING = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "{}"'
_UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


def blocked(pod: Object, scene: Scene) -> str:
    """Why the pod's claims keep it from every node; "" when they do not."""
    for volume in pod["spec"].get("volumes", []):
        if (name := claim_name(pod, volume)) and (why := _wrong(pod, volume, name, scene)):
            return why
    return _UNBOUND if any(not delays(scene.store, claim) for claim in unbound(pod, scene)) else ""


def unbound(pod: Object, scene: Scene) -> list[Object]:
    """The pod's claims that have no volume yet."""
    return [claim for claim in claims(pod, scene) if claim.get("status", {}).get("phase") != "Bound"]


def claims(pod: Object, scene: Scene) -> list[Object]:
    """The pod's claims that are there."""
    names = [claim_name(pod, volume) for volume in pod["spec"].get("volumes", [])]
    found = [scene.find("persistentvolumeclaims", pod["metadata"]["namespace"], name) for name in names if name]
    return [claim for claim in found if claim]


def _wrong(pod: Object, volume: Object, name: str, scene: Scene) -> str:
    claim = scene.find("persistentvolumeclaims", pod["metadata"]["namespace"], name)
    if claim is None:
        return _WAITING.format(name) if "ephemeral" in volume else f'persistentvolumeclaim "{name}" not found'
    if claim.get("status", {}).get("phase") == "Lost":
        lost = claim["spec"].get("volumeName", "")
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{lost}"'
    if "deletionTimestamp" in claim["metadata"]:
        return f'persistentvolumeclaim "{name}" is being deleted'
    return stranger(pod, claim) if "ephemeral" in volume and not is_for_pod(pod, claim) else ""


def unshared(pod: Object, host: Host, scene: Scene) -> list[Refusal]:
    """No other pod in the cluster uses a claim of the pod that is for one pod alone."""
    alone = {_key(claim) for claim in claims(pod, scene) if _ONCE in claim["spec"].get("accessModes", [])}
    used = {(other["metadata"]["namespace"], claim_name(other, v)) for other, v in _volumes(host)}
    return [Refusal(_SHARED, lasting=False)] if alone & used else []


def _volumes(host: Host) -> list[tuple[Object, Object]]:
    return [(other, volume) for other in host.pods for volume in other["spec"].get("volumes", [])]


def _key(claim: Object) -> tuple[str, str]:
    return claim["metadata"]["namespace"], claim["metadata"]["name"]


def reachable(pod: Object, host: Host, scene: Scene) -> list[Refusal]:
    """The volumes of the pod's claims can be had on the node, and there are volumes for those that wait."""
    for claim in claims(pod, scene):
        volume = scene.find("persistentvolumes", "", claim["spec"].get("volumeName", ""))
        if volume is not None and not _on(volume, host):
            return [Refusal("node(s) didn't match PersistentVolume's node affinity")]
        if volume is None and not _can_come(claim, host, scene):
            return [Refusal("node(s) didn't find available persistent volumes to bind")]
    return []


def _on(volume: Object, host: Host) -> bool:
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return not required or matches(required, host)


def _can_come(claim: Object, host: Host, scene: Scene) -> bool:
    storage_class = scene.find("storageclasses", "", claim["spec"].get("storageClassName") or "")
    if storage_class is not None and storage_class["provisioner"] != NO_PROVISIONER:
        return True
    volume = match(scene.store, claim)
    return volume is not None and _on(volume, host)
