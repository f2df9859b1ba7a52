"""The picture of the cluster that one scheduling decision is made on."""

from dataclasses import dataclass, replace

from rescue.sandbox import selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store


@dataclass(frozen=True)
class Refusal:
    """One reason of one node; ``lasting``: it would not go away if other pods made room."""

    text: str
    lasting: bool = True


@dataclass(frozen=True)
class Host:
    """A node and the pods on it that have not ended."""

    node: Object
    pods: tuple[Object, ...] = ()

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        """The node's labels."""
        return selectors.labels_of(self.node)


@dataclass(frozen=True)
class Scene:
    """All nodes, and the store for what pods refer to (claims, volumes, namespaces)."""

    store: Store
    hosts: tuple[Host, ...]

    def pods(self) -> list[tuple[Host, Object]]:
        """Every pod with its node."""
        return [(host, pod) for host in self.hosts for pod in host.pods]

    def with_pod(self, pod: Object, name: str) -> "Scene":
        """The picture after the pod was put on a node."""
        hosts = (replace(host, pods=(*host.pods, pod)) if host.name == name else host for host in self.hosts)
        return replace(self, hosts=tuple(hosts))

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        """An object, or None."""
        try:
            return self.store.get(resource, namespace, name)
        except NotFound:
            return None


def scene_of(store: Store) -> Scene:
    """The cluster as it is now."""
    by_node: dict[str, list[Object]] = {}
    for pod in store.list("pods", None, _placed):
        by_node.setdefault(pod["spec"]["nodeName"], []).append(pod)
    nodes = store.list("nodes")
    return Scene(store, tuple(Host(node, tuple(by_node.get(node["metadata"]["name"], ()))) for node in nodes))


def _placed(pod: Object) -> bool:
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return bool(pod["spec"].get("nodeName")) and not ended
