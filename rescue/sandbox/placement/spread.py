"""The filter by topology spread constraints with DoNotSchedule (podtopologyspread)."""

from collections import Counter

from rescue.sandbox import selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.placement.nodes import chooses
from rescue.sandbox.placement.scene import Host, Refusal, Scene

_TEXT = "node(s) didn't match pod topology spread constraints"


def even(pod: Object, host: Host, scene: Scene) -> list[Refusal]:
    """Another pod on the node would not make the spread more uneven than allowed."""
    hard = [c for c in pod["spec"].get("topologySpreadConstraints", []) if c["whenUnsatisfiable"] == "DoNotSchedule"]
    keys = {constraint["topologyKey"] for constraint in hard}
    for constraint in hard:
        if constraint["topologyKey"] not in host.labels:
            return [Refusal(f"{_TEXT} (missing required label)")]
        if _skew(pod, host, scene, constraint, keys) > constraint["maxSkew"]:
            return [Refusal(_TEXT, lasting=False)]
    return []


def _skew(pod: Object, host: Host, scene: Scene, constraint: Object, keys: set[str]) -> int:
    key, namespace = constraint["topologyKey"], pod["metadata"]["namespace"]
    terms = _terms(pod, constraint)
    counts: Counter[str] = Counter()
    for there in scene.hosts:
        if keys <= there.labels.keys() and _counts(pod, there, constraint):
            counts[there.labels[key]] += sum(1 for other in there.pods if _matches(terms, other, namespace))
    own = int(selectors.matches(terms, selectors.labels_of(pod)))
    fewest = 0 if len(counts) < constraint.get("minDomains", 1) else min(counts.values(), default=0)
    return counts[host.labels[key]] + own - fewest


def _counts(pod: Object, there: Host, constraint: Object) -> bool:
    return constraint.get("nodeAffinityPolicy") == "Ignore" or chooses(pod["spec"], there)


def _matches(terms: list[selectors.Requirement] | None, other: Object, namespace: str) -> bool:
    meta = other["metadata"]
    mine = meta["namespace"] == namespace and "deletionTimestamp" not in meta
    return mine and selectors.matches(terms, selectors.labels_of(other))


def _terms(pod: Object, constraint: Object) -> list[selectors.Requirement] | None:
    terms, labels = selectors.requirements(constraint.get("labelSelector")), selectors.labels_of(pod)
    same = [selectors.Requirement(k, "In", (labels[k],)) for k in constraint.get("matchLabelKeys", []) if k in labels]
    return None if terms is None else terms + same
