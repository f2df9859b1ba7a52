"""A claim that a pod uses is deleted only when the pod is gone (pkg/controller/volume/pvcprotection)."""

from rescue.sandbox.admission.claims import PROTECTION
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store
from rescue.sandbox.volumes import claim_name, is_for_pod


def reconcile(store: Store) -> None:
    """Take the finalizer from the deleted claims that no pod uses."""
    for claim in store.list("persistentvolumeclaims", None, _held):
        used = store.list("pods", claim["metadata"]["namespace"], lambda pod, claim=claim: _uses(pod, claim))  # type: ignore[misc]
        if not used:
            claim["metadata"]["finalizers"].remove(PROTECTION)
            store.update("persistentvolumeclaims", claim)


def _held(claim: Object) -> bool:
    meta = claim["metadata"]
    return "deletionTimestamp" in meta and PROTECTION in (meta.get("finalizers") or [])


def _uses(pod: Object, claim: Object) -> bool:
    """Only a pod on a node counts; an own (ephemeral) claim goes as soon as the pod's containers are gone."""
    spec, name = pod["spec"], claim["metadata"]["name"]
    if not spec.get("nodeName"):
        return False
    for volume in spec.get("volumes", []):
        if claim_name(pod, volume) == name and ("ephemeral" not in volume or _own(pod, claim)):
            return True
    return False


def _own(pod: Object, claim: Object) -> bool:
    shut_down = pod["metadata"].get("deletionGracePeriodSeconds") == 0
    return is_for_pod(pod, claim) and not shut_down
