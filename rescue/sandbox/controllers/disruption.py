"""PodDisruptionBudgets: whom they count, and how many pods may go (pkg/controller/disruption)."""

from math import ceil

from rescue.sandbox import selectors
from rescue.sandbox.controllers.claim import controller_of, is_ready
from rescue.sandbox.events import record_once
from rescue.sandbox.objects import Object, timestamp
from rescue.sandbox.resources import BY_KIND
from rescue.sandbox.store import NotFound, Store

_COMPONENT = "controllermanager"
# Controllers that say how many pods they want.
_SCALED = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")


class _UnknownScaleError(Exception):
    """A pod's controller does not say how many pods it wants."""


def reconcile(store: Store) -> None:
    """Write the status of every budget."""
    for budget in store.list("poddisruptionbudgets"):
        meta = budget["metadata"]
        terms = selectors.requirements(budget["spec"].get("selector"))
        pods = store.list(
            "pods", meta["namespace"], lambda pod, terms=terms: selectors.matches(terms, selectors.labels_of(pod))  # type: ignore[misc]
        )  # fmt: skip
        if not pods:
            record_once(store, budget, "NoPods", "No matching pods found", "Normal", _COMPONENT)
        store.update_status("poddisruptionbudgets", meta["namespace"], meta["name"], _status(store, budget, pods))


def _status(store: Store, budget: Object, pods: list[Object]) -> Object:
    old: Object = budget.get("status", {})
    generation = {"observedGeneration": budget["metadata"]["generation"]}
    try:
        expected, desired = _expected(store, budget["spec"], pods)
    except _UnknownScaleError as error:
        text = f"Failed to calculate the number of expected pods: {error}"
        record_once(store, budget, "CalculateExpectedPodCountFailed", text, "Warning", _COMPONENT)
        return old | {"disruptionsAllowed": 0} | _condition(budget, "SyncFailed", str(error))
    healthy = sum(1 for pod in pods if is_ready(pod) and "deletionTimestamp" not in pod["metadata"])
    allowed = max(0, healthy - desired) if expected > 0 else 0
    counts = {"currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected}
    reason = "SufficientPods" if allowed else "InsufficientPods"
    return counts | {"disruptionsAllowed": allowed} | generation | _condition(budget, reason, "")


def _expected(store: Store, spec: Object, pods: list[Object]) -> tuple[int, int]:
    """(expectedPods, desiredHealthy)."""
    if "maxUnavailable" in spec:
        scale = _scale(store, pods)
        return scale, max(0, scale - _share(spec["maxUnavailable"], scale))
    wanted = spec.get("minAvailable", 1)
    if isinstance(wanted, int):
        return len(pods), wanted
    scale = _scale(store, pods)
    return scale, _share(wanted, scale)


def _share(value: int | str, total: int) -> int:
    return value if isinstance(value, int) else ceil(total * int(value.rstrip("%")) / 100)


def _scale(store: Store, pods: list[Object]) -> int:
    """How many pods the controllers of the pods want together; a pod without a controller does not count."""
    found: dict[str, int] = {}
    for pod in pods:
        if controller_of(pod) is not None:
            owner = _top(store, pod)
            if owner is None or owner["kind"] not in _SCALED:
                raise _UnknownScaleError(f'found no controllers for pod "{pod["metadata"]["name"]}"')
            found[owner["metadata"]["uid"]] = owner["spec"].get("replicas", 1)
    return sum(found.values())


def _top(store: Store, obj: Object) -> Object | None:
    """The controller of an object, or that one's (a ReplicaSet's Deployment)."""
    reference = controller_of(obj)
    row = reference and BY_KIND.get((reference["apiVersion"], reference["kind"]))
    if not reference or not row:
        return None
    try:
        owner = store.get(row.stored_as, obj["metadata"]["namespace"], reference["name"])
    except NotFound:
        return None
    return _top(store, owner) or owner


def _condition(budget: Object, reason: str, message: str) -> Object:
    status = "True" if reason == "SufficientPods" else "False"
    old: Object = next(iter(budget.get("status", {}).get("conditions", [])), {})
    same = old.get("status") == status
    new = {
        "type": "DisruptionAllowed",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": old["lastTransitionTime"] if same else timestamp(),
        "observedGeneration": budget["metadata"]["generation"],
    }
    return {"conditions": [new]}
