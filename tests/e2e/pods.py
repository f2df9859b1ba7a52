"""What a test does to single pods: make one, follow its life, hold its deletion up."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kubernetes import watch
from kubernetes.client.exceptions import NotFoundException

from tests.e2e.cluster import PATIENCE, Cluster, Pod, name_of

HOLD = "rescue.test/hold"


def create(cluster: Cluster, namespace: str, manifest: dict[str, Any]) -> Pod:
    """Create a pod, as it is stored."""
    made: Pod = cluster.core.create_namespaced_pod(namespace, manifest, _preload_content=False).json()
    return made


def delete(cluster: Cluster, pod: Pod) -> None:
    """Begin to delete a pod, as anybody may; one that is gone already stays so."""
    with suppress(NotFoundException):
        cluster.core.delete_namespaced_pod(name_of(pod), pod["metadata"]["namespace"])


def life(cluster: Cluster, pod: Pod) -> Iterator[Pod]:
    """Every state of a pod after this one, none left out, until it is gone; the last is its state when it went."""
    meta = pod["metadata"]
    events = watch.Watch().stream(
        cluster.core.list_namespaced_pod,
        meta["namespace"],
        field_selector=f"metadata.name={meta['name']}",
        resource_version=meta["resourceVersion"],
        timeout_seconds=PATIENCE,
    )
    for event in events:
        yield event["raw_object"]
        if event["type"] == "DELETED":
            return


def hold(cluster: Cluster, pod: Pod) -> None:
    """From now on the pod's deletion takes until ``let_go``."""
    _set_finalizers(cluster, pod, [HOLD])


def let_go(cluster: Cluster, pod: Pod) -> None:
    """Let a pod that was held go."""
    _set_finalizers(cluster, pod, [])


def is_leaving(cluster: Cluster, pod: Pod) -> bool:
    """Whether its deletion has begun."""
    meta = pod["metadata"]
    now = cluster.core.read_namespaced_pod(meta["name"], meta["namespace"])
    return now.metadata.deletion_timestamp is not None


def _set_finalizers(cluster: Cluster, pod: Pod, names: list[str]) -> None:
    meta = pod["metadata"]
    patch = {"metadata": {"finalizers": names or None}}
    cluster.core.patch_namespaced_pod(meta["name"], meta["namespace"], patch)
