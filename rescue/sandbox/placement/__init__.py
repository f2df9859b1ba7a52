"""Which nodes a pod fits on: the filters of kube-scheduler in its order and words, over a picture of the cluster."""

from collections.abc import Callable

from rescue.sandbox.objects import Object
from rescue.sandbox.placement import nodes, peers, ports, requests, spread, volumes
from rescue.sandbox.placement.scene import Host, Refusal, Scene

Filter = Callable[[Object, Host, Scene], list[Refusal]]

# As the default plug-ins run; the first that refuses a node says why.
FILTERS: tuple[Filter, ...] = (
    nodes.schedulable,
    nodes.tolerated,
    nodes.selected,
    ports.free,
    requests.fitting,
    volumes.unshared,
    volumes.reachable,
    spread.even,
    peers.compatible,
)


def why_not(pod: Object, host: Host, scene: Scene) -> list[Refusal]:
    """Why the pod cannot be on the node; empty when it can."""
    return next((found for check in FILTERS if (found := check(pod, host, scene))), [])
