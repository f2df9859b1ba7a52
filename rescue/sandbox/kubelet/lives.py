"""The running containers of one pod: their ends, their kills, their probes and hooks."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rescue.sandbox.kubelet.calls import target
from rescue.sandbox.kubelet.ending import exit_of
from rescue.sandbox.kubelet.hooks import POST_START_SECONDS, first_of, hook_message, run_hook
from rescue.sandbox.kubelet.launch import StartError, init, oom_file, process_id, start
from rescue.sandbox.kubelet.node import Node
from rescue.sandbox.kubelet.observed import Container, Kind, PodView, Run, Waiting
from rescue.sandbox.kubelet.oom import OomWatch
from rescue.sandbox.kubelet.podman import KILLED, Death
from rescue.sandbox.kubelet.probes import Prober
from rescue.sandbox.kubelet.status import pod_key
from rescue.sandbox.store import Object

# After a preStop hook has used up the grace period, the command still gets this long (seconds).
LEAST_GRACE = 2.0
# How long a killed process may take to be reported, before the death is looked up.
REPORT = 10.0
UNREPORTED = 3.0
DEFINITION = "definition"


@dataclass
class Life:
    """One run of a container while it lasts."""

    container: Container
    run: Run
    watch: OomWatch
    prober: Prober
    stop_signal: str
    missing: bool = False
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Lives:
    """Keeps the runs by container id.

    ``changed`` is called when the pod's worker must look again, ``publish`` to show the status at once.
    """

    def __init__(self, node: Node, view: PodView, changed: Callable[[], None], publish: Callable[[], None]) -> None:
        self._node = node
        self._view = view
        self._changed = changed
        self._publish = publish
        self._lives: dict[str, Life] = {}
        self._condemned: dict[str, str] = {}
        self._born = asyncio.get_running_loop().time()
        # Set when the pod is being deleted, and when that is by force: nothing gets any more grace.
        self.leaving = asyncio.Event()
        self.hurry = asyncio.Event()

    async def start(self, container: Container, run: Run, stop_signal: str) -> None:
        """Start a created run and its probes; StartError."""
        watch = await init(self._node, run)
        life = Life(container, run, watch, self._prober(container, run), stop_signal)
        # Known before it runs: its end may be reported before podman returns.
        self._lives[run.id] = life
        try:
            await start(self._node, run)
        except StartError:
            del self._lives[run.id]
            raise
        self._begin(life)

    async def died(self, death: Death) -> None:
        """podman reported the end of a container, perhaps not one of ours."""
        life = self._lives.get(death.container)
        if life is None:
            return
        await life.begun.wait()
        if self._lives.pop(death.container, None) is None:
            return
        life.prober.stop()
        oom = await self._had_oom(life, death.code)
        life.run.exit = exit_of(life.run, life.container.spec, death.code, death.time, oom)
        life.container.started = False
        life.container.ready = life.container.kind is Kind.INIT and death.code == 0
        life.ended.set()
        self._changed()

    async def check(self, container: Container) -> float | None:
        """Whether a running container's process is still there; seconds until the next check if it is not.

        An end that podman did not report is looked up: its log of events may have lost it.
        """
        life = self._lives.get(container.run.id) if container.run else None
        if life is None or not life.begun.is_set() or Path(f"/proc/{process_id(life.run)}").exists():
            return None
        if not life.missing:
            life.missing = True
        elif death := await self._node.podman.death(life.run.id):
            await self.died(death)
        return UNREPORTED

    async def _had_oom(self, life: Life, code: int) -> bool:
        if life.watch.armed:
            return await life.watch.struck()
        if oom_file(life.run).exists():
            return True
        return code == KILLED and await self._node.podman.saw_oom(life.run.id)

    def _begin(self, life: Life) -> None:
        container, prober = life.container, life.prober
        serves = container.kind in (Kind.APP, Kind.SIDECAR)
        waits = serves and prober.has("startup")
        container.waiting = None
        container.started = not waits
        container.ready = serves and not waits and not prober.has("readiness")
        if serves:
            prober.start()
        life.begun.set()

    def condemned(self, container: Container) -> str:
        """Why the container's present run must be killed: startup, liveness, definition, or nothing."""
        return self._condemned.get(container.run.id, "") if container.run else ""

    def redefine(self, container: Container, spec: Object) -> None:
        """The pod's update has a new spec of the container; a new image needs a new run."""
        if container.run and spec["image"] != container.spec["image"]:
            self._condemned[container.run.id] = DEFINITION
        container.spec = spec

    async def kill(self, container: Container, message: str, grace: float) -> None:
        """Stop a running container: event, preStop hook, stop signal, SIGKILL after ``grace`` seconds."""
        life = self._lives.get(container.run.id) if container.run else None
        if life is None:
            return
        self._node.event(self._view.pod, "Killing", message, container)
        life.prober.stop()
        left = await self._pre_stop(life, grace)
        await self._node.podman.signal(life.run.id, life.stop_signal)
        # A deletion by force cuts the grace short.
        await first_of(left, life.ended.wait(), self.hurry.wait())
        if not life.ended.is_set():
            await self._node.podman.signal(life.run.id, "SIGKILL")
            await self._end_of(life)
        self._condemned.pop(life.run.id, None)

    async def post_start(self, container: Container, run: Run) -> None:
        """Run the postStart hook; when it fails the container is killed and waits with the reason."""
        hook = (container.spec.get("lifecycle") or {}).get("postStart")
        life = self._lives.get(run.id)
        if not hook or life is None:
            return
        where = target(container.spec, run.id, self._view.ip)
        outcome = await run_hook(hook, where, POST_START_SECONDS, self.leaving)
        if outcome is None or outcome.success:
            return
        self._node.event(self._view.pod, "FailedPostStartHook", "PostStartHook failed", container, warning=True)
        message = hook_message(hook, container.name, pod_key(self._view.pod), outcome)
        await self.kill(container, "FailedPostStartHook", self.grace(container))
        container.waiting = Waiting("PostStartHookError", message)

    def grace(self, container: Container, probe: str = "") -> float:
        """The grace period in seconds: the probe's own if it has one, else the pod's."""
        own = (container.spec.get(f"{probe}Probe") or {}).get("terminationGracePeriodSeconds")
        return float(own if own is not None else self._view.pod["spec"].get("terminationGracePeriodSeconds", 30))

    def stop_probes(self) -> None:
        """The pod is going away: its probes have no say any more."""
        for life in self._lives.values():
            life.prober.stop()

    async def _pre_stop(self, life: Life, grace: float) -> float:
        """Run the preStop hook; the seconds that are left for the command itself."""
        hook = (life.container.spec.get("lifecycle") or {}).get("preStop")
        if not hook or grace <= 0:
            return grace
        begin = asyncio.get_running_loop().time()
        where = target(life.container.spec, life.run.id, self._view.ip)
        outcome = await run_hook(hook, where, grace, life.ended, self.hurry)
        if outcome is not None and not outcome.success:
            self._node.event(self._view.pod, "FailedPreStopHook", "PreStopHook failed", life.container, warning=True)
        return max(LEAST_GRACE, grace - (asyncio.get_running_loop().time() - begin))

    async def _end_of(self, life: Life) -> None:
        """Wait for the report of a killed container; look it up when it does not come."""
        while not life.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT):
                    await life.ended.wait()
            if not life.ended.is_set() and (death := await self._node.podman.death(life.run.id)):
                await self.died(death)

    def _prober(self, container: Container, run: Run) -> Prober:
        def verdict(kind: str, success: bool) -> None:
            self._judge(container, run, kind, success)

        def failed(kind: str, output: str) -> None:
            message = f"{kind.capitalize()} probe failed: {output}"
            self._node.event(self._view.pod, "Unhealthy", message, container, warning=True)

        age = asyncio.get_running_loop().time() - self._born
        where = target(container.spec, run.id, self._view.ip)
        return Prober(container.spec, where, age, verdict, failed)

    def _judge(self, container: Container, run: Run, kind: str, success: bool) -> None:
        if kind == "readiness":
            container.ready = success
        elif not success:
            self._condemned[run.id] = kind
        elif kind == "startup":
            container.started = True
            # Shown once before it is ready, as the kubelet does.
            self._publish()
            container.ready = "readinessProbe" not in container.spec
        self._changed()
