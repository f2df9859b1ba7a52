"""The scheduler: puts a pod on a node that fits, or says why none does, in kube-scheduler's words."""

from collections import Counter
from collections.abc import Iterable

from rescue.sandbox import registry, resources
from rescue.sandbox.events import record, record_scheduling
from rescue.sandbox.objects import Object, timestamp
from rescue.sandbox.placement import preemption, volumes, why_not
from rescue.sandbox.placement.scene import Refusal, Scene, scene_of
from rescue.sandbox.registry import Target
from rescue.sandbox.storage.requests import NODE
from rescue.sandbox.store import Store

_NAME = "default-scheduler"
_GATED = "Scheduling is blocked due to non-empty scheduling gates"
_NO_CLAIMS = "no new claims to deallocate"


def reconcile(store: Store) -> None:
    """Bind or refuse every pod that waits for a node."""
    waiting = store.list("pods", None, _waits)
    # First those that matter most, then those that wait longest.
    for pod in sorted(waiting, key=lambda pod: (-preemption.priority(pod), pod["metadata"]["creationTimestamp"])):
        if pod["spec"].get("schedulingGates"):
            _condition(store, pod, "SchedulingGated", _GATED)
        elif not pod["spec"].get("resourceClaims"):
            # No ResourceClaim is served here, so a pod that has one is never queued.  1.36 says nothing about it.
            _schedule(store, pod)


def _waits(pod: Object) -> bool:
    spec = pod["spec"]
    mine = spec.get("schedulerName", _NAME) == _NAME
    return mine and not spec.get("nodeName") and "deletionTimestamp" not in pod["metadata"]


def _schedule(store: Store, pod: Object) -> None:
    scene = scene_of(store)
    if not scene.hosts:
        _refuse(store, pod, "no nodes available to schedule pods")
        return
    if blocked := volumes.blocked(pod, scene):
        # The plug-in for ResourceClaims has not run yet; that it has no state is what "not found" says.
        _refuse(store, pod, f"{_available(scene)} {blocked}. not found")
        return
    reasons = {host.name: why_not(pod, host, scene) for host in scene.hosts}
    fitting = [name for name, why in reasons.items() if not why]
    if not fitting:
        _refuse(store, pod, _made_room(store, pod, scene, reasons))
    elif unbound := volumes.unbound(pod, scene):
        _choose_node(store, unbound, fitting[0])
    else:
        _bind(store, pod, fitting[0])


def _made_room(store: Store, pod: Object, scene: Scene, reasons: dict[str, list[Refusal]]) -> str:
    """The message of a pod that fits nowhere, after trying to push others out."""
    said = f"{_available(scene)} {_summed(refusal.text for why in reasons.values() for refusal in why)}."
    if why := preemption.ineligible(pod, scene):
        return f"{said} {_NO_CLAIMS}, preemption: {why}"
    for host in scene.hosts:
        if not any(refusal.lasting for refusal in reasons[host.name]):
            found = preemption.victims(pod, host, scene)
            if found:
                _preempt(store, pod, found, host.name)
                return said
    fruitless = _summed(preemption.fruitless(reasons))
    return f"{said} {_NO_CLAIMS}, preemption: {_available(scene)} {fruitless}."


def _available(scene: Scene) -> str:
    return f"0/{len(scene.hosts)} nodes are available:"


def _summed(texts: Iterable[str]) -> str:
    return ", ".join(sorted(f"{count} {text}" for text, count in Counter(texts).items()))


def _preempt(store: Store, pod: Object, found: list[Object], node: str) -> None:
    for victim in found:
        meta = victim["metadata"]
        text = f"Preempted by pod {pod['metadata']['uid']} on node {node}"
        record(store, victim, "Preempted", text, "Normal", _NAME)
        target = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{_NAME}: preempting to accommodate a higher priority pod",
            "lastProbeTime": None,
            "lastTransitionTime": timestamp(),
        }
        victim["status"]["conditions"] = [*victim["status"].get("conditions", []), target]
        store.update("pods", victim)
        place = Target(resources.BY_PLURAL["pods"], meta["namespace"], meta["name"])
        registry.delete(store, place, {}, dry_run=False)
    pod["status"]["nominatedNodeName"] = node


def _choose_node(store: Store, claims: list[Object], node: str) -> None:
    """The claims that wait for their first consumer learn its node; the pod waits for their volumes."""
    for claim in claims:
        annotations = claim["metadata"].setdefault("annotations", {})
        if annotations.get(NODE) != node:
            annotations[NODE] = node
            store.update("persistentvolumeclaims", claim)


def _bind(store: Store, pod: Object, node: str) -> None:
    pod["spec"]["nodeName"] = node
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": timestamp()}
    pod["status"]["conditions"] = [condition]
    pod["status"].pop("nominatedNodeName", None)
    bound = store.update("pods", pod)
    place = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    record_scheduling(store, bound, "Scheduled", f"Successfully assigned {place} to {node}", "Normal", "Binding")


def _refuse(store: Store, pod: Object, message: str) -> None:
    if _condition(store, pod, "Unschedulable", message):
        record_scheduling(store, pod, "FailedScheduling", message, "Warning", "Scheduling")


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
