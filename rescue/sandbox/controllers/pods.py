"""Making and deleting pods for a controller, with its events."""

from rescue.sandbox import registry, resources
from rescue.sandbox.controllers.claim import reference_to
from rescue.sandbox.events import record
from rescue.sandbox.objects import Object, copy
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import Store

_PODS = resources.BY_PLURAL["pods"]


def from_template(owner: Object, template: Object, labels: Object) -> Object:
    """A pod of the template with the owner's reference and more labels; generateName is ``OWNER-``."""
    template = copy(template)
    meta = template.get("metadata", {})
    name = owner["metadata"]["name"]
    metadata = {
        "generateName": f"{name}-",
        "namespace": owner["metadata"]["namespace"],
        "labels": meta.get("labels", {}) | labels,
        "ownerReferences": [reference_to(owner)],
    }
    if meta.get("annotations"):
        metadata["annotations"] = meta["annotations"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def create(store: Store, owner: Object, pod: Object, component: str, said: str = "Created pod: {name}") -> bool:
    """Create the pod through the API's own checks; False (and an event) when they refuse it."""
    target = Target(_PODS, owner["metadata"]["namespace"])
    try:
        made = registry.create(store, target, pod, Options(field_validation="Ignore"))
    except ApiError as error:
        record(store, owner, "FailedCreate", f"Error creating: {error.message}", "Warning", component)
        return False
    name = made["metadata"]["name"]
    record(store, owner, "SuccessfulCreate", said.format(name=name), "Normal", component)
    return True


def delete(store: Store, owner: Object, pod: Object, component: str, said: str = "Deleted pod: {name}") -> None:
    """Delete the pod with its own grace period."""
    name = pod["metadata"]["name"]
    registry.delete(store, Target(_PODS, owner["metadata"]["namespace"], name), {}, dry_run=False)
    record(store, owner, "SuccessfulDelete", said.format(name=name), "Normal", component)


def set_status(store: Store, resource: str, obj: Object, status: Object) -> None:
    """Write the status when it differs."""
    meta = obj["metadata"]
    store.update_status(resource, meta["namespace"], meta["name"], status)
