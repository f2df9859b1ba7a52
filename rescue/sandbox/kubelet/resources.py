"""The resources of a whole pod, from those of its containers."""

from rescue.sandbox.kubelet import quantities
from rescue.sandbox.kubelet.observed import Kind, PodView
from rescue.sandbox.store import Object


def pod_resources(view: PodView) -> Object:
    """``status.resources`` of the pod: the sums that the scheduler counts with, empty lists left out."""
    found = {which: _sums(view, which) for which in ("limits", "requests")}
    return {which: sums for which, sums in found.items() if sums}


def _sums(view: PodView, which: str) -> dict[str, str]:
    # KEP-753: sidecars run beside the containers; each other init container runs alone before them.
    together = [c.spec.get("resources", {}).get(which, {}) for c in view.of(Kind.SIDECAR, Kind.APP)]
    alone = [c.spec.get("resources", {}).get(which, {}) for c in view.of(Kind.INIT)]
    names = sorted({name for resources in together + alone for name in resources})
    return {name: _needed(name, together, alone) for name in names}


def _needed(name: str, together: list[dict[str, str]], alone: list[dict[str, str]]) -> str:
    beside = [resources[name] for resources in together if name in resources]
    first = [resources[name] for resources in alone if name in resources]
    return quantities.largest(([quantities.total(beside)] if beside else []) + first)
