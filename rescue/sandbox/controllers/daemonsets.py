"""DaemonSets: one pod on every node."""

import json

from rescue.sandbox.controllers import claim, pods
from rescue.sandbox.names import hash_suffix
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store

COMPONENT = "daemonset-controller"
_NO_EXECUTE = ("not-ready", "unreachable")
_NO_SCHEDULE = ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")


def reconcile(store: Store) -> None:
    """Bring every DaemonSet's pods to one per node and write its status."""
    for daemon_set in store.list("daemonsets"):
        if "deletionTimestamp" in daemon_set["metadata"]:
            continue
        found = claim.claim(store, daemon_set)
        nodes = [node["metadata"]["name"] for node in store.list("nodes") if _chosen(daemon_set, node)]
        for node in nodes:
            _one_per_node(store, daemon_set, node, [pod for pod in found if node_of(pod) == node])
        pods.set_status(store, "daemonsets", daemon_set, _status(daemon_set, claim.active(found), len(nodes)))


def node_of(pod: Object) -> str:
    """The node a pod is on, or the one that its affinity names."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    required = (pod["spec"].get("affinity") or {}).get("nodeAffinity", {}).get(_REQUIRED, {})
    for term in required.get("nodeSelectorTerms", []):
        for field in term.get("matchFields", []):
            if field["key"] == "metadata.name" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def _chosen(daemon_set: Object, node: Object) -> bool:
    wanted = daemon_set["spec"]["template"]["spec"].get("nodeSelector", {})
    return bool(wanted.items() <= node["metadata"].get("labels", {}).items())


def _one_per_node(store: Store, daemon_set: Object, node: str, found: list[Object]) -> None:
    for pod in found:
        if claim.ended(pod) and "deletionTimestamp" not in pod["metadata"]:
            pods.delete(store, daemon_set, pod, COMPONENT)
    running = claim.active(found)
    fresh = [pod for pod in running if _revision_of(pod) == revision(daemon_set)]
    stale = [pod for pod in running if pod not in fresh and _replaceable(daemon_set, pod)]
    # The oldest pod stays; an adopted orphan is the surplus.
    rest = sorted((pod for pod in running if pod not in stale), key=lambda pod: pod["metadata"]["creationTimestamp"])
    for pod in stale + rest[1:]:
        pods.delete(store, daemon_set, pod, COMPONENT)
    if not found:
        pods.create(store, daemon_set, _pod(daemon_set, node), COMPONENT)


def _replaceable(daemon_set: Object, pod: Object) -> bool:
    # Only pods that carry a revision of ours are rolled; an adopted orphan has none.
    return daemon_set["spec"]["updateStrategy"]["type"] == "RollingUpdate" and bool(_revision_of(pod))


def _revision_of(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get("controller-revision-hash", ""))


def revision(workload: Object) -> str:
    """The hash of the template, as ``controller-revision-hash`` carries it."""
    return hash_suffix(json.dumps(workload["spec"]["template"], sort_keys=True))


def _pod(daemon_set: Object, node: str) -> Object:
    generation = daemon_set["metadata"]["generation"]
    labels = {"controller-revision-hash": revision(daemon_set), "pod-template-generation": str(generation)}
    pod = pods.from_template(daemon_set, daemon_set["spec"]["template"], labels)
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    affinity[_REQUIRED] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    tolerations = pod["spec"].setdefault("tolerations", [])
    tolerations += [_toleration(name, "NoExecute") for name in _NO_EXECUTE]
    tolerations += [_toleration(name, "NoSchedule") for name in _NO_SCHEDULE]
    return pod


def _toleration(name: str, effect: str) -> Object:
    return {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}


def _status(daemon_set: Object, found: list[Object], wanted: int) -> Object:
    ready = sum(1 for pod in found if claim.is_ready(pod))
    fresh = sum(1 for pod in found if _revision_of(pod) == revision(daemon_set))
    status = {
        "currentNumberScheduled": len(found),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": wanted,
        "numberReady": ready,
        "observedGeneration": daemon_set["metadata"]["generation"],
    }
    more = {"updatedNumberScheduled": fresh, "numberAvailable": ready, "numberUnavailable": wanted - ready}
    return status | {key: value for key, value in more.items() if value}
