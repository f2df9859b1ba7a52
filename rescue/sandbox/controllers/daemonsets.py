"""DaemonSets: one pod on every node."""

import json

from rescue.sandbox.controllers import claim, pods
from rescue.sandbox.events import record
from rescue.sandbox.names import hash_suffix
from rescue.sandbox.objects import Object
from rescue.sandbox.placement.nodes import REQUIRED, chooses, tolerates
from rescue.sandbox.placement.scene import Host, scene_of
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
        nodes = [host.name for host in scene_of(store).hosts if _chosen(daemon_set, host)]
        for node in nodes:
            _one_per_node(store, daemon_set, node, [pod for pod in found if node_of(pod) == node])
        pods.set_status(store, "daemonsets", daemon_set, _status(daemon_set, claim.active(found), len(nodes)))


def node_of(pod: Object) -> str:
    """The node a pod is on, or the one that its affinity names."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    required = (pod["spec"].get("affinity") or {}).get("nodeAffinity", {}).get(REQUIRED, {})
    for term in required.get("nodeSelectorTerms", []):
        for field in term.get("matchFields", []):
            if field["key"] == "metadata.name" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""


def _chosen(daemon_set: Object, host: Host) -> bool:
    spec = _with_tolerations(daemon_set["spec"]["template"]["spec"])
    taints = host.node.get("spec", {}).get("taints", [])
    return chooses(spec, host) and all(t["effect"] == "PreferNoSchedule" or tolerates(spec, t) for t in taints)


def _one_per_node(store: Store, daemon_set: Object, node: str, found: list[Object]) -> None:
    for pod in found:
        if claim.ended(pod) and "deletionTimestamp" not in pod["metadata"]:
            _replace_ended(store, daemon_set, pod, node)
    # The pod that is on the node stays, then the oldest: mostly an adopted orphan is the surplus.
    running = sorted(claim.active(found), key=_seniority)
    for pod in running[1:]:
        pods.delete(store, daemon_set, pod, COMPONENT)
    if len(running) == 1 and _stale(daemon_set, running[0]):
        pods.delete(store, daemon_set, running[0], COMPONENT)
    if not found:
        pods.create(store, daemon_set, _pod(daemon_set, node), COMPONENT)


def _seniority(pod: Object) -> tuple[bool, str, str]:
    meta = pod["metadata"]
    return not pod["spec"].get("nodeName"), meta["creationTimestamp"], meta["name"]


def _stale(daemon_set: Object, pod: Object) -> bool:
    """Whether the pod is not of the present template; an adopted orphan is of none."""
    rolling = daemon_set["spec"]["updateStrategy"]["type"] == "RollingUpdate"
    return rolling and _revision_of(pod) != revision(daemon_set)


def _replace_ended(store: Store, daemon_set: Object, pod: Object, node: str) -> None:
    place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']} on node {node}"
    if pod["status"]["phase"] == "Failed":
        text = f"Found failed daemon pod {place}, will try to kill it"
        record(store, daemon_set, "FailedDaemonPod", text, "Warning", COMPONENT)
    else:
        text = f"Found succeeded daemon pod {place}, will try to delete it"
        record(store, daemon_set, "SucceededDaemonPod", text, "Normal", COMPONENT)
    pods.delete(store, daemon_set, pod, COMPONENT)


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
    affinity[REQUIRED] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return pod | {"spec": _with_tolerations(pod["spec"])}


def _with_tolerations(spec: Object) -> Object:
    added = [_toleration(name, "NoExecute") for name in _NO_EXECUTE]
    added += [_toleration(name, "NoSchedule") for name in _NO_SCHEDULE]
    if spec.get("hostNetwork"):
        added.append(_toleration("network-unavailable", "NoSchedule"))
    return spec | {"tolerations": [*spec.get("tolerations", []), *added]}


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
