"""Making room: which pods of lower priority would have to go (defaultpreemption)."""

from dataclasses import replace

from rescue.sandbox.objects import Object
from rescue.sandbox.placement import why_not
from rescue.sandbox.placement.scene import Host, Refusal, Scene

NEVER = "not eligible due to preemptionPolicy=Never."
_WAITING = "not eligible due to a terminating pod on the nominated node."


def priority(pod: Object) -> int:
    """The pod's priority."""
    return int(pod["spec"].get("priority") or 0)


def ineligible(pod: Object, scene: Scene) -> str:
    """Why the pod may not push others out; "" when it may."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return NEVER
    nominated = pod.get("status", {}).get("nominatedNodeName")
    hosts = [host for host in scene.hosts if host.name == nominated]
    leaving = [p for host in hosts for p in host.pods if "deletionTimestamp" in p["metadata"]]
    return _WAITING if any(priority(other) < priority(pod) for other in leaving) else ""


def victims(pod: Object, host: Host, scene: Scene) -> list[Object]:
    """The pods of lower priority without which the pod fits on the node; empty when that does not help."""
    lower = sorted((other for other in host.pods if priority(other) < priority(pod)), key=priority, reverse=True)
    kept = [other for other in host.pods if priority(other) >= priority(pod)]
    if not lower or not _fits(pod, host, kept, scene):
        return []
    gone = []
    for other in lower:
        if _fits(pod, host, [*kept, other], scene):
            kept.append(other)
        else:
            gone.append(other)
    return gone


def fruitless(reasons: dict[str, list[Refusal]]) -> list[str]:
    """What preemption says of each node that cannot be had by it."""
    return [
        "Preemption is not helpful for scheduling"
        if any(refusal.lasting for refusal in why)
        else "No preemption victims found for incoming pod"
        for why in reasons.values()
    ]


def _fits(pod: Object, host: Host, pods: list[Object], scene: Scene) -> bool:
    changed = replace(host, pods=tuple(pods))
    hosts = tuple(changed if other.name == host.name else other for other in scene.hosts)
    return not why_not(pod, changed, replace(scene, hosts=hosts))
