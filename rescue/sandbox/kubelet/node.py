"""What all pod workers of the node share."""

from dataclasses import dataclass, field
from pathlib import Path

from rescue.sandbox.events import record
from rescue.sandbox.kubelet.cluster import ClusterInfo
from rescue.sandbox.kubelet.images import Images
from rescue.sandbox.kubelet.network import Network
from rescue.sandbox.kubelet.observed import Container
from rescue.sandbox.kubelet.payload import VolumeError, World
from rescue.sandbox.kubelet.podman import Podman
from rescue.sandbox.kubelet.pulls import Pulls
from rescue.sandbox.kubelet.volumes import Volumes
from rescue.sandbox.store import NotFound, Object, Store

_CLUSTER_WIDE = ("persistentvolumes", "csidrivers")


@dataclass
class Node:
    """The node's name and address, the cluster, the store, and the edges to the host."""

    name: str
    store: Store
    cluster: ClusterInfo
    podman: Podman
    images: Images
    pulls: Pulls
    network: Network
    volumes: Volumes
    pause: Path
    _tokens: dict[str, str] = field(default_factory=dict)

    def object(self) -> Object:
        """The Node object, or an empty one before it is registered."""
        try:
            return self.store.get("nodes", "", self.name)
        except NotFound:
            return {}

    def address(self) -> str:
        """The node's InternalIP; before the Node says so, its address in the pod network."""
        addresses = self.object().get("status", {}).get("addresses", [])
        internal = [str(entry["address"]) for entry in addresses if entry["type"] == "InternalIP"]
        return internal[0] if internal else self.network.gateway

    def capacity(self) -> dict[str, str]:
        """What the node can give to pods: allocatable resources by name."""
        allocatable: dict[str, str] = self.object().get("status", {}).get("allocatable", {})
        return allocatable

    def world(self, pod: Object) -> World:
        """What the pod's volumes and variables can be made of."""
        namespace = pod["metadata"]["namespace"]

        def lookup(resource: str, name: str) -> Object | None:
            try:
                return self.store.get(resource, "" if resource in _CLUSTER_WIDE else namespace, name)
            except NotFound:
                return None

        def elsewhere() -> list[Object]:
            return self.store.list("pods", namespace, self._elsewhere)

        return World(pod, lookup, lambda: self._token(pod), self.capacity(), elsewhere)

    def _elsewhere(self, pod: Object) -> bool:
        ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        return pod["spec"].get("nodeName", self.name) != self.name and not ended

    def forget(self, pod: Object) -> None:
        """The pod is gone from this node."""
        self._tokens.pop(pod["metadata"]["uid"], None)

    def _token(self, pod: Object) -> str:
        """One token for the pod's life: a new one at each look would rewrite its volume each time."""
        meta, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
        if meta["uid"] not in self._tokens:
            try:
                self._tokens[meta["uid"]] = self.cluster.issue_token(meta["namespace"], account)
            except NotFound:
                raise VolumeError(f'failed to fetch token: serviceaccounts "{account}" not found') from None
        return self._tokens[meta["uid"]]

    def event(
        self, pod: Object, reason: str, message: str, container: Container | None = None, warning: bool = False
    ) -> None:
        """Write a kubelet event about the pod, or about one of its containers."""
        kind = "Warning" if warning else "Normal"
        path = container.field_path if container else ""
        record(self.store, pod, reason, message, kind, "kubelet", path)
