"""Startup, liveness and readiness probes of one running container."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from rescue.sandbox.kubelet.calls import Outcome, Target, attempt
from rescue.sandbox.store import Object

KINDS = ("startup", "liveness", "readiness")


@dataclass
class Counter:
    """Counts results in a row against the thresholds; pure."""

    success_threshold: int
    failure_threshold: int
    _last: bool | None = None
    _row: int = 0

    def count(self, success: bool) -> bool | None:
        """The probe's new verdict when this result reaches its threshold, else None."""
        self._row = self._row + 1 if success == self._last else 1
        self._last = success
        threshold = self.success_threshold if success else self.failure_threshold
        return success if self._row >= threshold else None


@dataclass(frozen=True)
class Settings:
    """A probe's numbers with the API's defaults; seconds."""

    delay: float
    period: float
    timeout: float
    success_threshold: int
    failure_threshold: int


def settings(probe: Object) -> Settings:
    """The numbers of a probe; pure."""
    return Settings(
        delay=probe.get("initialDelaySeconds") or 0,
        period=probe.get("periodSeconds") or 10,
        timeout=probe.get("timeoutSeconds") or 1,
        success_threshold=probe.get("successThreshold") or 1,
        failure_threshold=probe.get("failureThreshold") or 3,
    )


def first_wait(number: Settings, age: float, *, at_once: bool) -> float:
    """Seconds from the container's start to its first probe; pure.

    The kubelet's ticker runs since the pod was accepted, ``age`` seconds ago, and a tick before
    ``initialDelaySeconds`` does nothing.  A readiness probe is also run at once (prober manager).
    """
    if at_once and number.delay == 0:
        return 0.0
    wait = number.period - age % number.period
    while wait < number.delay:
        wait += number.period
    return wait


@dataclass
class Prober:
    """Runs a container's probes; ``verdict`` is called when one changes, ``failed`` at each failure.

    ``verdict(kind, success)``, ``failed(kind, output)``; kinds are those of KINDS.
    """

    container: Object
    where: Target
    age: float
    verdict: Callable[[str, bool], None]
    failed: Callable[[str, str], None]
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin: the startup probe alone if there is one, the others after its success."""
        if "startupProbe" in self.container:
            self._begin("startup")
        else:
            self._begin_others()

    def stop(self) -> None:
        """End all probing."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def has(self, kind: str) -> bool:
        """Whether the container has a probe of this kind."""
        return f"{kind}Probe" in self.container

    def _begin_others(self, *, at_once: bool = False) -> None:
        for kind in ("liveness", "readiness"):
            if self.has(kind):
                self._begin(kind, at_once=at_once or kind == "readiness")

    def _begin(self, kind: str, *, at_once: bool = False) -> None:
        self._tasks.append(asyncio.create_task(self._probe(kind, at_once=at_once)))

    async def _probe(self, kind: str, *, at_once: bool) -> None:
        probe = self.container[f"{kind}Probe"]
        number = settings(probe)
        counter = Counter(number.success_threshold, number.failure_threshold)
        loop = asyncio.get_running_loop()
        due = loop.time() + first_wait(number, self.age, at_once=at_once)
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + number.period, loop.time())
            outcome = await attempt(probe, self.where, number.timeout)
            if self._settled(kind, counter, outcome):
                return

    def _settled(self, kind: str, counter: Counter, outcome: Outcome) -> bool:
        """Report; true when this probe has nothing more to do."""
        if not outcome.success:
            self.failed(kind, outcome.output)
        result = counter.count(outcome.success)
        if result is not None:
            self.verdict(kind, result)
        if kind == "startup" and result:
            self._begin_others(at_once=True)
        # After a verdict to kill, the container is on hold until its next run.
        return (kind == "startup" and result is not None) or (kind == "liveness" and result is False)
