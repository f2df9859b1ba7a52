"""The clone's start: what it waits for, until it holds or will never."""

import time
from collections.abc import Callable, Iterator

from rescue.clone import Clone
from rescue.errors import ExitCode, RescueError
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.kube.patience import patiently
from rescue.model import JsonObject
from rescue.waiting import progress

Say = Callable[[str], None]

HEAL_SECONDS = 15.0
_TOLD = ("Failed", "BackOff")  # Reasons of events that the container statuses tell as well.
WATCH_SECONDS = 10


def states(cluster: Cluster, clone: Clone, deadline: float) -> Iterator[JsonObject]:
    """The clone's pod each time it changes, until ``deadline`` (monotonic seconds); raises RescueError when gone."""
    while time.monotonic() < deadline:
        pod = _read(cluster, clone)
        yield pod
        yield from _changes(cluster, clone, pod["metadata"]["resourceVersion"], deadline)


def _read(cluster: Cluster, clone: Clone) -> JsonObject:
    try:
        return patiently(lambda: cluster.get("pods", clone.namespace, clone.name))
    except ClusterError as error:
        if error.status != 404:
            raise
        raise RescueError(f"somebody deleted the clone {clone.name}", "run it again", ExitCode.CLUSTER) from error


def _changes(cluster: Cluster, clone: Clone, version: str, deadline: float) -> Iterator[JsonObject]:
    """What one watch tells, until it ends, is cut, or ``deadline``."""
    left = max(1, min(WATCH_SECONDS, int(deadline - time.monotonic())))
    try:
        for event in cluster.watch("pods", clone.namespace, clone.name, version, left):
            if event["type"] not in ("ADDED", "MODIFIED") or time.monotonic() > deadline:
                return
            yield event["object"]
    except ClusterError as error:
        if error.status != 0:
            raise


def wait_until_held(cluster: Cluster, clone: Clone, target: str, seconds: float, say: Say) -> None:
    """Wait until target and keeper run; every new waiting reason is said once.

    Raises RescueError (cluster) when the clone cannot start, or not within ``seconds``.
    """
    said: set[str] = set()
    reasons: tuple[str, ...] = ()
    failing_since: float | None = None
    for pod in states(cluster, clone, time.monotonic() + seconds):
        now = progress(pod, target)
        if now.running:
            return
        failing_since = (failing_since or time.monotonic()) if now.failure else None
        if failing_since and (not now.may_heal or time.monotonic() - failing_since > HEAL_SECONDS):
            raise RescueError(now.failure, now.hint, ExitCode.CLUSTER)
        reasons = (*now.reasons, *_warnings(cluster, clone))
        for reason in reasons:
            if reason not in said:
                say(f"waiting: {reason}")
            said.add(reason)
    raise RescueError(
        f"the clone did not start within {seconds:.0f} s: {'; '.join(reasons) or 'no reason given'}",
        "give it more time with --wait SECONDS, or look at: kubectl get events",
        ExitCode.CLUSTER,
    )


def _warnings(cluster: Cluster, clone: Clone) -> list[str]:
    """Why the kubelet cannot go on (FailedMount, FailedCreatePodSandBox …): no container status tells it."""
    try:
        events = cluster.list("events", clone.namespace, fieldSelector=f"involvedObject.uid={clone.uid},type=Warning")
    except ClusterError:
        return []  # Without the permission the statuses must do.
    return [f"{event.get('reason')}: {event.get('message')}" for event in events if event.get("reason") not in _TOLD]
