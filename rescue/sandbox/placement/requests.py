"""The filter by what pods request (noderesources fit)."""

from collections import Counter
from typing import Any

from rescue import quantity
from rescue.sandbox.objects import Object
from rescue.sandbox.placement.scene import Host, Refusal, Scene

Amounts = Counter[str]


def fitting(pod: Object, host: Host, _: Scene) -> list[Refusal]:
    """The node has room for the pod's requests, of every resource."""
    allocatable = amounts(host.node["status"].get("allocatable", {}))
    used: Amounts = Counter()
    for other in host.pods:
        used.update(requested(other))
    return [
        Refusal(_text(name), lasting=amount > allocatable[name])
        for name, amount in requested(pod).items()
        if amount > allocatable[name] - used[name]
    ]


def _text(name: str) -> str:
    return "Too many pods" if name == "pods" else f"Insufficient {name}"


def amounts(given: Object) -> Amounts:
    """Quantities by name as numbers."""
    numbers: dict[str, Any] = {name: quantity.parse(amount) for name, amount in given.items()}
    # A Counter adds Decimals as well; its type only knows int.
    return Counter(numbers)


def requested(pod: Object) -> Amounts:
    """What a pod asks of its node (PodRequests of k8s.io/component-helpers), and one of its places."""
    spec = pod["spec"]
    total: Amounts = Counter()
    for container in spec["containers"]:
        total.update(_requests(container))
    sidecars, peak = Counter[str](), Counter[str]()
    for container in spec.get("initContainers", []):
        if container.get("restartPolicy") == "Always":
            sidecars.update(_requests(container))
            peak |= sidecars
        else:
            peak |= _requests(container) + sidecars
    total = (total + sidecars) | peak
    for name, amount in _requests(spec).items():
        total[name] = amount
    total.update(amounts(spec.get("overhead", {})))
    total["pods"] = 1
    return total


def _requests(owner: Object) -> Amounts:
    return amounts(owner.get("resources", {}).get("requests", {}))
