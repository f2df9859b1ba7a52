"""The scout: a short-lived pod, as safe as a clone, in which the target starts as it is and is seen to start."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from rescue import clone
from rescue.console import Console
from rescue.errors import ExitCode, RescueError
from rescue.image import literal
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.kube.patience import patiently
from rescue.model import Command, JsonObject, Target
from rescue.placeholders import Choices
from rescue.plan import compile_plan
from rescue.resources import data_dir
from rescue.rules import Rule
from rescue.sighting import (
    OBSERVER,
    Argv,
    Start,
    backs_off,
    doubt,
    entrypoint,
    identities,
    is_running,
    obstacle,
    of_container,
    parse,
)
from rescue.waiting import progress, why_ended

TTL_SECONDS = 120
WATCH_SECONDS = 60.0  # of one scout, from the first sighting on
STEADY_SECONDS = 4.0  # A container that runs on for so long is not waited for: a new scout sees it start sooner.
STUCK_SECONDS = 10.0  # What keeps a container from starting may be over in a moment.
SCOUTS = 8  # Each sees two starts at once; the kubelet's back-off would make the third wait longer than a new scout.
LOG_LINES = 1000
POLL_SECONDS = 0.5


def scout_manifest(pod: JsonObject, target: Target, rules: Sequence[Rule], choices: Choices) -> JsonObject:
    """The scout of a target, by the rules of the clones; ``choices`` have its own suffix and expiry.

    Raises RescueError as ``compile_plan``.
    """
    # Kubernetes expands what it finds in an argument: each $ of the script stands for itself.
    script = literal([(data_dir("hunter_agent") / "scout").read_text(encoding="utf-8")])[0]
    wishes = replace(choices.wishes, claims=())  # The entrypoint needs no data: a scout never copies or mounts a claim.
    own = replace(choices, scout=True, script=script, ttl_seconds=TTL_SECONDS, wishes=wishes, claims={})
    return compile_plan(pod, target, rules, own, Command((), "scout")).clone


def observe(
    cluster: Cluster, manifest: Callable[[], JsonObject], target: Target, wait: float, console: Console
) -> Command:
    """Run scouts, one after the other, until it is proven what their target runs first.

    ``manifest`` makes that of the next one; ``wait`` bounds the seconds until the target starts.  Raises RescueError
    (cluster or refused) when a scout is refused, does not start, or proves nothing; each is deleted whatever happens.
    """
    ended = partial(clone.tell_end, console, "scout")
    starts: list[Start] = []
    for _ in range(SCOUTS):
        with clone.living(cluster, target.namespace, manifest(), False, ended) as made:
            console.step(f"scout {made.name} created: it starts {target.container!r} as it is, to see its command")
            watch = _Watch(cluster, made, target.container, starts)
            watch.run(wait)
        starts = watch.starts
        if watch.argv or watch.obstacle or not watch.is_spent:
            break
    return command(watch.argv, watch.obstacle or doubt(starts), target.container)


def command(argv: Argv | None, problem: str, container: str) -> Command:
    """What was seen, ready for ``args``; raises RescueError (refused) when nothing was, or no manifest can hold it."""
    if argv is None:
        raise RescueError(problem, "give the command yourself, after --", ExitCode.REFUSED)
    try:
        words = [word.decode("utf-8") for word in argv]
    except UnicodeDecodeError as error:
        shown = b" ".join(argv).decode("utf-8", "backslashreplace")
        raise RescueError(
            f"its command is not UTF-8, so no manifest can hold it: {shown}",
            "start it by a script of the image, given after --",
            ExitCode.REFUSED,
        ) from error
    return Command(
        literal(words), "scout", f"what {container!r} was seen to run first in a scout; a script shows after its shell"
    )


class _Watch:
    """Looks at one scout until something is proven, or it is of no more use. ``before``: what earlier ones saw."""

    def __init__(self, cluster: Cluster, made: clone.Clone, target: str, before: list[Start]) -> None:
        self._cluster, self._made, self._target, self._before = cluster, made, target, before
        self._identities: frozenset[str] = frozenset()
        self._seen: list[Start] = []
        self._changed = time.monotonic()
        self.obstacle = ""
        self.is_spent = False

    @property
    def starts(self) -> list[Start]:
        """Every start that was seen, also by the scouts before."""
        return [*self._before, *self._seen]

    @property
    def argv(self) -> Argv | None:
        """The entrypoint, once it is proven."""
        return entrypoint(self.starts)

    def run(self, wait: float) -> None:
        """Watch for at most ``wait`` seconds until the container starts, then for WATCH_SECONDS."""
        end = time.monotonic() + min(wait, TTL_SECONDS)
        while time.monotonic() < end and not self.argv and not self.is_spent:
            time.sleep(POLL_SECONDS)
            pod = patiently(lambda: self._cluster.get("pods", self._made.namespace, self._made.name))
            if self._look(pod) and len(self._seen) == 1:
                end = time.monotonic() + WATCH_SECONDS
            unchanged = time.monotonic() - self._changed
            steady = is_running(pod, self._target) and unchanged > STEADY_SECONDS
            self.is_spent = bool(self._seen) and (steady or backs_off(pod, self._target))
            self.obstacle = obstacle(pod, self._target)
            if (self.obstacle or why_ended(pod) is not None) and unchanged > STUCK_SECONDS:
                break
            if not self._seen:
                self.obstacle = self.obstacle or "; ".join(progress(pod, self._target).reasons)

    def _look(self, pod: JsonObject) -> bool:
        """Read the observer's lines; whether there is a start more than before."""
        self._identities |= identities(pod, self._target)
        known = len(self._seen)
        self._seen = of_container(parse(self._log()), pod, self._target, self._identities)
        if len(self._seen) > known:
            self._changed = time.monotonic()
        return len(self._seen) > known

    def _log(self) -> str:
        """The observer's lines so far; none while its container is being made."""
        place = (self._made.namespace, self._made.name, OBSERVER)
        try:
            return patiently(lambda: self._cluster.logs(*place, False, LOG_LINES))
        except ClusterError as error:
            if error.status != 400:
                raise
            return ""
