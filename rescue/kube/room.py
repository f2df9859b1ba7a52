"""By how much a pod does not fit: what it asks for, and what the roomiest node has left."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.model import JsonObject
from rescue.quantity import parse
from rescue.unstarted import scheduling

MOST_NODES = 50  # of a larger cluster not every pod is fetched, only to say how full its nodes are
_INSUFFICIENT = re.compile(r"Insufficient ([\w-]+(?:[./][\w-]+)*)")
_BYTES = ("memory", "ephemeral-storage", "hugepages-")
_UNITS = (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))

Amounts = Mapping[str, Decimal]


@dataclass(frozen=True)
class _Room:
    """What a node offers to pods, and how much of it is free; ``free`` None: nobody could look."""

    node: str
    whole: Decimal
    free: Decimal | None


def shortage(cluster: Cluster, pod: JsonObject) -> str:
    """A sentence for each resource that the scheduler found insufficient; empty when it found none."""
    names = _INSUFFICIENT.findall(str(scheduling(pod).get("message", "")))
    if not names:
        return ""
    wanted, nodes = requested(pod), _listed(cluster, "nodes")
    known = [name for name in dict.fromkeys(names) if name in wanted]
    pods = _listed(cluster, "pods") if nodes and len(nodes) <= MOST_NODES else None
    return " ".join(_sentence(name, wanted[name], _roomiest(name, wanted[name], nodes or (), pods)) for name in known)


def _listed(cluster: Cluster, resource: str) -> list[JsonObject] | None:
    """All of the cluster; None when this account may not see them."""
    try:
        return cluster.list(resource, "")
    except ClusterError:
        return None


def requested(pod: JsonObject) -> Amounts:
    """What the scheduler looks for: containers and sidecars together, or the largest moment of the init containers."""
    spec, sidecars, peak = pod["spec"], dict[str, Decimal](), dict[str, Decimal]()
    for container in spec.get("initContainers") or ():
        moment = _sum([sidecars, _requests(container)])
        if container.get("restartPolicy") == "Always":
            sidecars = moment
        peak = {name: max(amount, peak.get(name, Decimal(0))) for name, amount in {**peak, **moment}.items()}
    running = _sum([sidecars, *(_requests(container) for container in spec["containers"])])
    most = {name: max(running.get(name, Decimal(0)), peak.get(name, Decimal(0))) for name in {**running, **peak}}
    return _sum([{**most, **_requests(spec)}, _parsed(spec.get("overhead"))])


def _requests(holder: JsonObject) -> dict[str, Decimal]:
    """Requests of a container, or of the pod itself."""
    return _parsed((holder.get("resources") or {}).get("requests"))


def _parsed(amounts: JsonObject | None) -> dict[str, Decimal]:
    return {name: parse(amount) for name, amount in (amounts or {}).items()}


def _sum(parts: Iterable[Amounts]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, Decimal(0)) + amount
    return total


def _roomiest(name: str, wanted: Decimal, nodes: Iterable[JsonObject], pods: list[JsonObject] | None) -> _Room | None:
    """Of the nodes that are large enough the one with most left; the largest, where none is."""
    rooms = [_room(name, node, pods) for node in nodes]
    enough = [room for room in rooms if room.whole >= wanted]
    return max(
        enough or rooms, key=lambda room: room.free if enough and room.free is not None else room.whole, default=None
    )


def _room(name: str, node: JsonObject, pods: list[JsonObject] | None) -> _Room:
    whole = _parsed((node.get("status") or {}).get("allocatable")).get(name, Decimal(0))
    place = node["metadata"]["name"]
    if pods is None:
        return _Room(place, whole, None)
    here = [pod for pod in pods if pod["spec"].get("nodeName") == place and not _ended(pod)]
    return _Room(place, whole, whole - sum((requested(pod).get(name, Decimal(0)) for pod in here), Decimal(0)))


def _ended(pod: JsonObject) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _sentence(name: str, wanted: Decimal, room: _Room | None) -> str:
    asks = f"It asks for {name} {_shown(name, wanted)}"
    if room is None:
        return f"{asks}."
    if room.free is None or wanted > room.whole:
        return f"{asks}; the largest node, {room.node}, has {_shown(name, room.whole)} in all."
    short = _shown(name, wanted - room.free)
    free = f"{_shown(name, room.free)} of {_shown(name, room.whole)}"
    return f"{asks}; the node with the most room, {room.node}, has {free} left: {short} too little."


def _shown(name: str, amount: Decimal) -> str:
    """``1.5`` cores, ``512Mi`` of memory."""
    if name.startswith(_BYTES):
        for unit, size in _UNITS:
            if abs(amount) >= size:
                return f"{_plain(amount / size)}{unit}"
    return _plain(amount)


def _plain(amount: Decimal) -> str:
    return f"{amount:.3f}".rstrip("0").rstrip(".")
