"""Filters by the node alone: cordon, taints, node affinity (nodeunschedulable, tainttoleration, nodeaffinity)."""

from rescue.sandbox import selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.placement.scene import Host, Refusal, Scene

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def schedulable(pod: Object, host: Host, _: Scene) -> list[Refusal]:
    """The node is not cordoned, or the pod does not mind."""
    cordoned = host.node.get("spec", {}).get("unschedulable")
    return [Refusal("node(s) were unschedulable")] if cordoned and not tolerates(pod["spec"], _CORDON) else []


def tolerated(pod: Object, host: Host, _: Scene) -> list[Refusal]:
    """The pod tolerates the taints that keep pods away."""
    taints = [t for t in host.node.get("spec", {}).get("taints", []) if t["effect"] != "PreferNoSchedule"]
    bad = any(not tolerates(pod["spec"], taint) for taint in taints)
    return [Refusal("node(s) had untolerated taint(s)")] if bad else []


def tolerates(spec: Object, taint: Object) -> bool:
    """Whether one of the pod's tolerations covers the taint."""
    return any(_covers(toleration, taint) for toleration in spec.get("tolerations", []))


def _covers(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    exists = toleration.get("operator") == "Exists"
    if not toleration.get("key"):
        return exists
    same_value = exists or toleration.get("value", "") == taint.get("value", "")
    return bool(toleration["key"] == taint["key"] and same_value)


def selected(pod: Object, host: Host, _: Scene) -> list[Refusal]:
    """The node is one that nodeSelector and node affinity name."""
    return [] if chooses(pod["spec"], host) else [Refusal("node(s) didn't match Pod's node affinity/selector")]


def chooses(spec: Object, host: Host) -> bool:
    """Whether nodeSelector and required node affinity allow the node."""
    if not (spec.get("nodeSelector") or {}).items() <= host.labels.items():
        return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    return not required or matches(required, host)


def matches(selector: Object, host: Host) -> bool:
    """Whether one term of a NodeSelector holds; a term without any requirement never does."""
    return any(_term_matches(term, host) for term in selector["nodeSelectorTerms"])


def _term_matches(term: Object, host: Host) -> bool:
    labels, fields = (_terms(term, key) for key in ("matchExpressions", "matchFields"))
    return (
        bool(labels or fields)
        and selectors.matches(labels, host.labels)
        and selectors.matches(fields, {"metadata.name": host.name})
    )


def _terms(term: Object, field: str) -> list[selectors.Requirement]:
    return selectors.requirements({"matchExpressions": term.get(field, [])}) or []
