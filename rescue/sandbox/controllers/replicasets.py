"""ReplicaSets: as many active pods as wanted; surplus ones go, the least useful first."""

from datetime import datetime

from rescue.sandbox.controllers import claim, pods
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store

COMPONENT = "replicaset-controller"
_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def reconcile(store: Store) -> None:
    """Bring every ReplicaSet's pods to the wanted number and write its status."""
    for replica_set in store.list("replicasets"):
        if "deletionTimestamp" in replica_set["metadata"]:
            continue
        found = claim.active(claim.claim(store, replica_set, eligible=lambda pod: not claim.ended(pod)))
        _scale(store, replica_set, found)
        pods.set_status(store, "replicasets", replica_set, _status(replica_set, found))


def _scale(store: Store, replica_set: Object, found: list[Object]) -> None:
    wanted = replica_set["spec"]["replicas"]
    for _ in range(wanted - len(found)):
        pod = pods.from_template(replica_set, replica_set["spec"]["template"], {})
        if not pods.create(store, replica_set, pod, COMPONENT):
            return
    for pod in sorted(found, key=usefulness)[: max(0, len(found) - wanted)]:
        pods.delete(store, replica_set, pod, COMPONENT)


def usefulness(pod: Object) -> tuple[bool, int, bool, int, float, int, float]:
    """The order in which surplus pods go (ActivePodsWithRanks of Kubernetes): the lowest first.

    Kubernetes compares ages by their logarithm and then by uid; here it is the plain age.
    """
    meta, status = pod["metadata"], pod.get("status", {})
    restarts = sum(c.get("restartCount", 0) for c in status.get("containerStatuses", []))
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(status.get("phase", ""), 0),
        claim.is_ready(pod),
        int((meta.get("annotations") or {}).get(_COST, 0)),
        -_ready_since(pod),
        -restarts,
        -_moment(meta["creationTimestamp"]),
    )


def _ready_since(pod: Object) -> float:
    conditions = pod.get("status", {}).get("conditions", [])
    times = [c["lastTransitionTime"] for c in conditions if c["type"] == "Ready" and "lastTransitionTime" in c]
    return _moment(times[0]) if times and claim.is_ready(pod) else 0.0


def _moment(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _status(replica_set: Object, found: list[Object]) -> Object:
    ready = sum(1 for pod in found if claim.is_ready(pod))
    status: Object = {"replicas": len(found), "observedGeneration": replica_set["metadata"]["generation"]}
    if found:
        status["fullyLabeledReplicas"] = len(found)
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    return status
