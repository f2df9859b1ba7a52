"""Our pods that are still in the cluster: found by their marks, deleted at most once, and never anybody else's."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rescue import clone
from rescue.errors import RescueError
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.marks import SELECTOR, Mark, read, why_not_ours

AT_ONCE = 8  # deletions under way


@dataclass(frozen=True)
class Found:
    """Our pods, by namespace and name, and a sentence for each pod that only has their label."""

    ours: tuple[Mark, ...]
    strangers: tuple[str, ...]


def find(cluster: Cluster, everywhere: bool) -> Found:
    """Our pods in the cluster's default namespace, or in all; raises ClusterError."""
    try:
        pods = cluster.list("pods", "" if everywhere else cluster.namespace, labelSelector=SELECTOR)
    except ClusterError as error:
        if error.status != 403 or not everywhere:
            raise
        hint = f"name a namespace with -n instead of -A; {error.hint}"
        raise ClusterError(error.message, hint, error.status, error.reason) from error
    reasons = [(pod, why_not_ours(pod)) for pod in pods]
    ours = sorted((read(pod) for pod, reason in reasons if not reason), key=lambda mark: (mark.namespace, mark.name))
    return Found(tuple(ours), tuple(_stranger(pod["metadata"], reason) for pod, reason in reasons if reason))


def _stranger(metadata: dict[str, str], reason: str) -> str:
    return f"pod {metadata['name']} in namespace {metadata['namespace']} is left alone, though labelled: {reason}"


def delete(cluster: Cluster, marks: Sequence[Mark]) -> list[RescueError | None]:
    """Delete pods, several at once, each only if it still is the one that was found, and see them gone.

    For each the error that kept it, else None; one that fails does not stop the others.
    """
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(pool.map(lambda mark: _delete(cluster, mark), marks))
    finally:
        pool.shutdown(cancel_futures=True)  # After Ctrl-C nothing new is begun.


def _delete(cluster: Cluster, mark: Mark) -> RescueError | None:
    try:
        clone.delete(cluster, clone.Clone(mark.namespace, mark.name, mark.uid, mark.version))
    except RescueError as error:
        return error
    return None
