"""The ``scale`` subresource of controllers (autoscaling/v1 Scale), which ``kubectl scale`` uses."""

from typing import Any

from rescue.sandbox import patch, registry
from rescue.sandbox.objects import Object
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.status import bad_request
from rescue.sandbox.store import Store
from rescue.sandbox.tables.columns import pairs

_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def view(obj: Object) -> Object:
    """A controller as a Scale."""
    selector = obj["spec"].get("selector", {}).get("matchLabels", {})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _SHOWN if key in obj["metadata"]},
        "spec": {"replicas": obj["spec"]["replicas"]},
        "status": {"replicas": obj.get("status", {}).get("replicas", 0), "selector": pairs(selector)},
    }


def replaced(store: Store, target: Target, scale: Object, options: Options) -> Object:
    """Set the replicas of a Scale; the new Scale.  ApiError 400 when there is no number."""
    wanted = scale.get("spec", {}).get("replicas", 0)
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
        raise bad_request("spec.replicas: Invalid value: must be greater than or equal to 0")
    whole = Target(target.resource, target.namespace, target.name)
    obj = registry.get(store, whole)
    obj["spec"]["replicas"] = wanted
    return view(registry.update(store, whole, obj, options))


def patched(store: Store, target: Target, change: Any, media_type: str, options: Options) -> Object:
    """Apply a JSON or merge patch to a Scale; the new Scale."""
    # A Scale has no list, so a strategic merge of it is a plain merge.
    plain = patch.MERGE if media_type == patch.STRATEGIC else media_type
    scale = patch.apply(view(registry.get(store, target)), change, plain, target.resource)
    return replaced(store, target, scale, options)
