"""The filter by host ports (nodeports)."""

from rescue.sandbox.objects import Object
from rescue.sandbox.placement.scene import Host, Refusal, Scene

_TEXT = "node(s) didn't have free ports for the requested pod ports"
_ANY = "0.0.0.0"
Port = tuple[str, str, int]


def free(pod: Object, host: Host, _: Scene) -> list[Refusal]:
    """No pod on the node has one of the pod's host ports."""
    wanted = host_ports(pod)
    used = [port for other in host.pods for port in host_ports(other)]
    clash = any(_clash(mine, other) for mine in wanted for other in used)
    return [Refusal(_TEXT, lasting=False)] if clash else []


def host_ports(pod: Object) -> list[Port]:
    """(address, protocol, port) of the containers and sidecars."""
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers", []) if c.get("restartPolicy") == "Always"]
    ports = [port for container in spec["containers"] + sidecars for port in container.get("ports", [])]
    return [(p.get("hostIP") or _ANY, p.get("protocol", "TCP"), p["hostPort"]) for p in ports if p.get("hostPort")]


def _clash(mine: Port, other: Port) -> bool:
    return mine[1:] == other[1:] and (mine[0] == other[0] or _ANY in (mine[0], other[0]))
