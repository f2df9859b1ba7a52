"""Generic ephemeral volumes: each gets a claim that its pod owns (pkg/controller/volume/ephemeral)."""

from rescue.sandbox import registry, resources
from rescue.sandbox.controllers.claim import reference_to
from rescue.sandbox.events import record_once
from rescue.sandbox.objects import Object, copy
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import NotFound, Store
from rescue.sandbox.volumes import claim_name, is_for_pod, stranger

_COMPONENT = "ephemeral_volume"
_CLAIMS = resources.BY_PLURAL["persistentvolumeclaims"]


def reconcile(store: Store) -> None:
    """Make the claims that are missing; a claim of that name that is not the pod's own is an error."""
    for pod in store.list("pods", None, _concerned):
        for volume in pod["spec"]["volumes"]:
            if "ephemeral" in volume and (why := _ensured(store, pod, volume)):
                text = f"ephemeral volume {volume['name']}: {why}"
                record_once(store, pod, "FailedBinding", text, "Warning", _COMPONENT)
                break


def _concerned(pod: Object) -> bool:
    volumes = pod["spec"].get("volumes", [])
    return "deletionTimestamp" not in pod["metadata"] and any("ephemeral" in volume for volume in volumes)


def _ensured(store: Store, pod: Object, volume: Object) -> str:
    """Why there is no claim for the volume; "" when there is one now."""
    namespace, name = pod["metadata"]["namespace"], claim_name(pod, volume)
    try:
        claim = store.get("persistentvolumeclaims", namespace, name)
    except NotFound:
        return _created(store, pod, volume["ephemeral"]["volumeClaimTemplate"], name)
    return "" if is_for_pod(pod, claim) else stranger(pod, claim)


def _created(store: Store, pod: Object, template: Object, name: str) -> str:
    given = template.get("metadata") or {}
    namespace = pod["metadata"]["namespace"]
    meta: Object = {key: copy(given[key]) for key in ("annotations", "labels") if key in given}
    meta |= {"name": name, "namespace": namespace, "ownerReferences": [reference_to(pod)]}
    try:
        registry.create(store, Target(_CLAIMS, namespace), {"metadata": meta, "spec": template["spec"]}, Options())
    except ApiError as error:
        return f"create PVC {name}: {error.message}"
    return ""
