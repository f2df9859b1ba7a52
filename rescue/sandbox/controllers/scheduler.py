"""The scheduler: puts a pod on a node that fits, or says why none does, in kube-scheduler's words."""

from collections import Counter
from decimal import Decimal

from rescue.sandbox import quantity, selectors
from rescue.sandbox.controllers import claim
from rescue.sandbox.events import record_scheduling
from rescue.sandbox.objects import Object, timestamp
from rescue.sandbox.store import NotFound, Store

_NAME = "default-scheduler"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_GATED = "Scheduling is blocked due to non-empty scheduling gates"


def reconcile(store: Store) -> None:
    """Bind or refuse every pod that waits for a node."""
    for pod in store.list("pods", None, _waits):
        if pod["spec"].get("schedulingGates"):
            _condition(store, pod, "SchedulingGated", _GATED)
        else:
            _schedule(store, pod)


def _waits(pod: Object) -> bool:
    spec = pod["spec"]
    mine = spec.get("schedulerName", _NAME) == _NAME
    return mine and not spec.get("nodeName") and "deletionTimestamp" not in pod["metadata"]


def _schedule(store: Store, pod: Object) -> None:
    nodes = store.list("nodes")
    missing = _missing_claim(store, pod)
    reasons = {node["metadata"]["name"]: _why_not(store, pod, node) for node in nodes}
    fitting = [name for name, why in reasons.items() if not why]
    if fitting and not missing:
        _bind(store, pod, fitting[0])
        return
    causes = [missing] if missing else _summed([text for why in reasons.values() for text in why])
    message = refusal(len(nodes), causes)
    if _condition(store, pod, "Unschedulable", message):
        record_scheduling(store, pod, "FailedScheduling", message, "Warning", "Scheduling")


def refusal(nodes: int, causes: list[str]) -> str:
    """The message of a FailedScheduling event."""
    if not nodes:
        return "no nodes available to schedule pods"
    available = f"0/{nodes} nodes are available:"
    preemption = f"preemption: {available} {nodes} Preemption is not helpful for scheduling."
    return f"{available} {', '.join(causes)}. no new claims to deallocate, {preemption}"


def _summed(texts: list[str]) -> list[str]:
    return sorted(f"{count} {text}" for text, count in Counter(texts).items())


def _bind(store: Store, pod: Object, node: str) -> None:
    pod["spec"]["nodeName"] = node
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": timestamp()}
    pod["status"]["conditions"] = [condition]
    bound = store.update("pods", pod)
    place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    record_scheduling(store, bound, "Scheduled", f"Successfully assigned {place} to {node}", "Normal", "Binding")


def _condition(store: Store, pod: Object, reason: str, message: str) -> bool:
    """Set PodScheduled to False; False when it said the same before."""
    old = [c for c in pod["status"].get("conditions", []) if c["type"] == "PodScheduled"]
    if old and (old[0].get("reason"), old[0].get("message")) == (reason, message):
        return False
    pod["status"]["conditions"] = [
        {
            "type": "PodScheduled",
            "observedGeneration": pod["metadata"]["generation"],
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": timestamp(),
            "reason": reason,
            "message": message,
        }
    ]
    store.update("pods", pod)
    return True


def _missing_claim(store: Store, pod: Object) -> str:
    for volume in pod["spec"].get("volumes", []):
        name = volume.get("persistentVolumeClaim", {}).get("claimName")
        try:
            if name:
                store.get("persistentvolumeclaims", pod["metadata"]["namespace"], name)
        except NotFound:
            return f'persistentvolumeclaim "{name}" not found'
    return ""


def _why_not(store: Store, pod: Object, node: Object) -> list[str]:
    """The reasons why the pod cannot be on the node; empty when it can."""
    spec = pod["spec"]
    if node.get("spec", {}).get("unschedulable") and not _tolerates(spec, _UNSCHEDULABLE):
        return ["node(s) were unschedulable"]
    for taint in node.get("spec", {}).get("taints", []):
        if taint["effect"] != "PreferNoSchedule" and not _tolerates(spec, taint):
            return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
    if not _selected(spec, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    return _insufficient(store, pod, node)


_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def _tolerates(spec: Object, taint: Object) -> bool:
    for toleration in spec.get("tolerations", []):
        same_value = toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
        if (
            toleration.get("key", "") in ("", taint["key"])
            and toleration.get("effect", "") in ("", taint["effect"])
            and same_value
        ):
            return True
    return False


def _selected(spec: Object, node: Object) -> bool:
    labels = selectors.labels_of(node)
    if not spec.get("nodeSelector", {}).items() <= labels.items():
        return False
    required = (spec.get("affinity") or {}).get("nodeAffinity", {}).get(_REQUIRED)
    if not required:
        return True
    name = {"metadata.name": node["metadata"]["name"]}
    return any(
        selectors.matches(_terms(term, "matchExpressions"), labels)
        and selectors.matches(_terms(term, "matchFields"), name)
        for term in required["nodeSelectorTerms"]
    )


def _terms(term: Object, field: str) -> list[selectors.Requirement]:
    return selectors.requirements({"matchExpressions": term.get(field, [])}) or []


def requested(pod: Object) -> dict[str, Decimal]:
    """What a pod asks of its node: all containers and sidecars, or the largest init container."""
    spec = pod["spec"]
    totals: Counter[str] = Counter()
    for container in spec["containers"] + [c for c in spec.get("initContainers", []) if _sidecar(c)]:
        for name, amount in _requests(container).items():
            totals[name] += amount  # type: ignore[assignment]
    found: dict[str, Decimal] = {name: Decimal(amount) for name, amount in totals.items()}
    for container in spec.get("initContainers", []):
        for name, amount in _requests(container).items():
            found[name] = max(found.get(name, Decimal(0)), amount)
    return found | {"pods": Decimal(1)}


def _sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def _requests(container: Object) -> dict[str, Decimal]:
    given = container.get("resources", {}).get("requests", {})
    return {name: quantity.parse(amount) for name, amount in given.items()}


def _insufficient(store: Store, pod: Object, node: Object) -> list[str]:
    room = {name: quantity.parse(amount) for name, amount in node["status"].get("allocatable", {}).items()}
    name_of_node = node["metadata"]["name"]
    on_node = store.list("pods", None, lambda p: p["spec"].get("nodeName") == name_of_node and not claim.ended(p))
    for other in on_node:
        for name, amount in requested(other).items():
            room[name] = room.get(name, Decimal(0)) - amount
    short = [name for name, amount in requested(pod).items() if amount > room.get(name, Decimal(0))]
    return ["Too many pods" if name == "pods" else f"Insufficient {name}" for name in short]
