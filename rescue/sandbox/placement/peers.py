"""The filter by other pods: required affinity and anti-affinity in both directions (interpodaffinity)."""

from rescue.sandbox import selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.placement.nodes import REQUIRED
from rescue.sandbox.placement.scene import Host, Refusal, Scene

_AFFINITY = Refusal("node(s) didn't match pod affinity rules")
_ANTI = Refusal("node(s) didn't match pod anti-affinity rules", lasting=False)
_EXISTING = Refusal("node(s) didn't satisfy existing pods anti-affinity rules", lasting=False)


def compatible(pod: Object, host: Host, scene: Scene) -> list[Refusal]:
    """The pod is with those that it wants, away from those that it avoids, and nobody there avoids it."""
    if not _attracted(pod, host, scene):
        return [_AFFINITY]
    others = scene.pods()
    if any(_near(term, host, there) and _meant(term, pod, other, scene)
           for term in _terms(pod, "podAntiAffinity") for there, other in others):  # fmt: skip
        return [_ANTI]
    if any(_near(term, host, there) and _meant(term, other, pod, scene)
           for there, other in others for term in _terms(other, "podAntiAffinity")):  # fmt: skip
        return [_EXISTING]
    return []


def _attracted(pod: Object, host: Host, scene: Scene) -> bool:
    terms = _terms(pod, "podAffinity")
    if any(term["topologyKey"] not in host.labels for term in terms):
        return False
    wanted = [(there, other) for there, other in scene.pods() if all(_meant(t, pod, other, scene) for t in terms)]
    if not wanted:
        # The first of a group that wants to be together may go anywhere.
        return all(_meant(term, pod, pod, scene) for term in terms)
    return all(any(_near(term, host, there) for there, _ in wanted) for term in terms)


def _terms(pod: Object, kind: str) -> list[Object]:
    found: list[Object] = ((pod["spec"].get("affinity") or {}).get(kind) or {}).get(REQUIRED, [])
    return found


def _near(term: Object, host: Host, other: Host) -> bool:
    key = term["topologyKey"]
    return key in host.labels and host.labels[key] == other.labels.get(key)


def _meant(term: Object, owner: Object, other: Object, scene: Scene) -> bool:
    """Whether the term of ``owner`` is about the pod ``other``."""
    if not _in_namespaces(term, owner, other, scene):
        return False
    terms = selectors.requirements(term.get("labelSelector"))
    labels = selectors.labels_of(owner)
    same = [selectors.Requirement(k, "In", (labels[k],)) for k in term.get("matchLabelKeys", []) if k in labels]
    return terms is not None and selectors.matches(terms + same, selectors.labels_of(other))


def _in_namespaces(term: Object, owner: Object, other: Object, scene: Scene) -> bool:
    name = other["metadata"]["namespace"]
    listed, selector = term.get("namespaces") or [], term.get("namespaceSelector")
    if not listed and selector is None:
        return bool(name == owner["metadata"]["namespace"])
    namespace = scene.find("namespaces", "", name)
    by_label = namespace is not None and selectors.matches(
        selectors.requirements(selector), selectors.labels_of(namespace)
    )
    return name in listed or by_label
