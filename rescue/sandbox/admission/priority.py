"""The Priority plug-in: the integer comes from the PriorityClass, never from the client."""

from rescue.sandbox.names import shown_name
from rescue.sandbox.objects import Object
from rescue.sandbox.status import forbidden
from rescue.sandbox.store import NotFound, Store


def resolve(store: Store, pod: Object) -> None:
    """Set priority and preemptionPolicy; ApiError 403 for an unknown class or another integer."""
    spec = pod["spec"]
    chosen = _class(store, pod)
    value = chosen.get("value", 0)
    if spec.get("priority") not in (None, value):
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec;"
            f" priority admission controller computed {value} from the given PriorityClass name"
        )
        raise forbidden("pods", shown_name(pod["metadata"]), why)
    policy = chosen.get("preemptionPolicy", "PreemptLowerPriority")
    if spec.get("preemptionPolicy") not in (None, policy):
        why = (
            f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec;"
            f" priority admission controller computed {policy} from the given PriorityClass name"
        )
        raise forbidden("pods", shown_name(pod["metadata"]), why)
    spec |= {"priority": value, "preemptionPolicy": policy}


def _class(store: Store, pod: Object) -> Object:
    name = pod["spec"].get("priorityClassName")
    if name:
        try:
            return store.get("priorityclasses", "", name)
        except NotFound:
            why = f"no PriorityClass with name {name} was found"
            raise forbidden("pods", shown_name(pod["metadata"]), why) from None
    defaults = [found for found in store.list("priorityclasses") if found.get("globalDefault")]
    if defaults:
        pod["spec"]["priorityClassName"] = defaults[0]["metadata"]["name"]
        return defaults[0]
    return {}
