"""The clone's life in the cluster: dry-run, create, delete and see it gone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rescue.console import Console
from rescue.errors import ExitCode, RescueError
from rescue.interrupt import deferred
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.kube.patience import patiently
from rescue.model import JsonObject

Ended = Callable[["Clone", str, str], None]

_UNCERTAIN = (0, 500, 502, 503, 504)  # Answers to a create after which the object may exist all the same.
# The server gives a request 60 s (--request-timeout), webhooks among them; the client has waited 35 of them.
APPEAR_SECONDS = 25.0
DELETE_SECONDS = 45.0  # Longer than the grace of a clone; the request that is under way then may add its time-out.

# A deadline runs from the pod's start on a node, and a pod that has met its own is only Failed.
STAYS = "its --ttl ends what runs in it, if it ever runs, and leaves the pod"


@dataclass(frozen=True)
class Clone:
    """A clone that exists: enough to find it, and to delete no other pod of the same name."""

    namespace: str
    name: str
    uid: str
    version: str

    @property
    def delete_command(self) -> str:
        """What a user types to delete it."""
        return f"kubectl delete pod {self.name} -n {self.namespace}"


def _of(pod: JsonObject) -> Clone:
    metadata = pod["metadata"]
    return Clone(metadata["namespace"], metadata["name"], metadata["uid"], metadata["resourceVersion"])


def create(cluster: Cluster, namespace: str, manifest: JsonObject) -> Clone:
    """Create the clone after a server-side dry-run.

    Raises ClusterError with nothing left behind, RescueError (cluster) when that is not certain.
    """
    try:
        cluster.create("pods", namespace, manifest, dry_run=True)
    except ClusterError as error:
        raise ClusterError(
            f"the cluster refuses the clone, so it was not created: {error.message}",
            f"{error.hint}; what is used up: kubectl describe quota,limits -n {namespace}",
            error.status,
        ) from error
    try:
        return _of(cluster.create("pods", namespace, manifest))
    except ClusterError as error:
        if error.status in _UNCERTAIN:
            _delete_unseen(cluster, namespace, manifest, error)
        raise


def _delete_unseen(cluster: Cluster, namespace: str, manifest: JsonObject, cause: ClusterError) -> None:
    """The answer to a create was lost: the clone may exist. Its random name makes it ours."""
    name = manifest["metadata"]["name"]
    try:
        delete(cluster, _of(_appeared(cluster, namespace, name)))
    except ClusterError as error:
        raise RescueError(
            f"{cause.message}; the clone may exist all the same",
            f"when the cluster answers again: kubectl delete pod {name} -n {namespace} --ignore-not-found",
            ExitCode.CLUSTER,
        ) from error


def _appeared(cluster: Cluster, namespace: str, name: str) -> JsonObject:
    """The pod, which may be stored after we look; raises ClusterError (404) when it is not there in APPEAR_SECONDS."""
    end = time.monotonic() + APPEAR_SECONDS
    while True:
        try:
            return patiently(lambda: cluster.get("pods", namespace, name))
        except ClusterError as error:
            if error.status != 404 or time.monotonic() > end:
                raise
        time.sleep(1)


def tell_end(console: Console, what: str, clone: Clone, state: str, detail: str) -> None:
    """Say what became of a clone or scout; one that is still there also when quiet."""
    text = f"{what} {clone.name} {state}{': ' if detail else ''}{detail}"
    (console.step if state == "deleted" else console.warn)(text)


@contextmanager
def living(cluster: Cluster, namespace: str, manifest: JsonObject, keep: bool, ended: Ended) -> Iterator[Clone]:
    """A clone for the time of a block; deleted at its end, also after errors and Ctrl-C, unless ``keep``.

    ``ended`` is told what became of it. A deletion that fails is told, not raised: the block's own end counts more.
    """
    made: list[Clone] = []
    try:
        with deferred():
            made.append(create(cluster, namespace, manifest))
        yield made[0]
    finally:
        try:
            _finish(cluster, made, keep, ended)
        except KeyboardInterrupt:
            _finish(cluster, made, keep, ended)  # It came just before it could be deferred.
            raise


def _finish(cluster: Cluster, made: list[Clone], keep: bool, ended: Ended) -> None:
    """End what was made, undisturbed, and forget it."""
    with deferred():
        while made:
            clone = made.pop()
            ended(clone, *_end(cluster, clone, keep))


def _end(cluster: Cluster, clone: Clone, keep: bool) -> tuple[str, str]:
    """``deleted``, ``kept`` or ``not deleted``, and what a user must know or type."""
    if keep:
        return "kept", clone.delete_command
    try:
        delete(cluster, clone)
    except RescueError as error:
        return "not deleted", f"{error.message}; {error.hint}"
    return "deleted", ""


def delete(cluster: Cluster, clone: Clone) -> None:
    """Delete the clone and wait until it is gone; tries again while the cluster does not answer.

    Raises RescueError (cluster) with the command to type when it is still there.
    """
    problem = "it is still there"
    end = time.monotonic() + DELETE_SECONDS
    while time.monotonic() < end:
        try:
            cluster.delete("pods", clone.namespace, clone.name, clone.uid)
            if _gone(cluster, clone, end):
                return
        except ClusterError as error:
            if error.status in (404, 409):  # 409: another pod has the name by now.
                return
            problem = error.message
            if error.status in (401, 403):
                break
        time.sleep(1)
    raise RescueError(
        f"pod {clone.name} was not deleted: {problem}",
        f"{clone.delete_command}   ({STAYS})",
        ExitCode.CLUSTER,
    )


def _gone(cluster: Cluster, clone: Clone, end: float) -> bool:
    """Whether the clone disappears until ``end`` (monotonic seconds)."""
    while time.monotonic() < end:
        try:
            if cluster.get("pods", clone.namespace, clone.name)["metadata"]["uid"] != clone.uid:
                return True
        except ClusterError as error:
            if error.status == 404:
                return True
            raise
        time.sleep(0.2)
    return False
