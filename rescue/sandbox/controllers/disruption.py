"""PodDisruptionBudgets: how many pods each expects, wants healthy, and may lose.

The counting of pkg/controller/disruption of Kubernetes; nothing here evicts, so nobody is kept from it.
"""

from rescue.sandbox import selectors
from rescue.sandbox.controllers import claim, pods
from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store

# Of a pod's controllers those that have a number of replicas, by their kind.
_SCALED = {
    "ReplicaSet": "replicasets",
    "ReplicationController": "replicationcontrollers",
    "StatefulSet": "statefulsets",
}


def reconcile(store: Store) -> None:
    """Write the status of every budget."""
    for budget in store.list("poddisruptionbudgets"):
        terms = selectors.requirements(budget["spec"].get("selector"))
        found = [
            pod
            for pod in store.list("pods", budget["metadata"]["namespace"])
            if selectors.matches(terms, selectors.labels_of(pod)) and not claim.ended(pod)
        ]
        pods.set_status(store, "poddisruptionbudgets", budget, _status(store, budget, found))


def _status(store: Store, budget: Object, found: list[Object]) -> Object:
    expected, desired = _wanted(store, budget["spec"], found)
    healthy = sum(1 for pod in found if claim.is_ready(pod) and "deletionTimestamp" not in pod["metadata"])
    return {
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "disruptionsAllowed": max(0, healthy - desired) if expected else 0,
        "expectedPods": expected,
        "observedGeneration": budget["metadata"]["generation"],
    }


def _wanted(store: Store, spec: Object, found: list[Object]) -> tuple[int, int]:
    """expectedPods and desiredHealthy (getExpectedPodCount): a plain minAvailable counts the pods themselves."""
    if "maxUnavailable" in spec:
        scale = _scale(store, found)
        return scale, max(0, scale - _share(spec["maxUnavailable"], scale))
    wanted = spec.get("minAvailable", 0)
    expected = len(found) if isinstance(wanted, int) else _scale(store, found)
    return expected, _share(wanted, expected)


def _share(amount: int | str, total: int) -> int:
    """A number, or a percentage of ``total`` rounded up."""
    return amount if isinstance(amount, int) else -(-int(amount.rstrip("%")) * total // 100)


def _scale(store: Store, found: list[Object]) -> int:
    """The replicas of all controllers that these pods have; pods without one count nothing."""
    owners = [(pod["metadata"]["namespace"], owner) for pod in found if (owner := claim.controller_of(pod))]
    places = {(_SCALED[o["kind"]], namespace, o["name"]) for namespace, o in owners if o["kind"] in _SCALED}
    return sum(_replicas(store, *place) for place in places)


def _replicas(store: Store, resource: str, namespace: str, name: str) -> int:
    try:
        return int(store.get(resource, namespace, name)["spec"]["replicas"])
    except NotFound:
        return 0
