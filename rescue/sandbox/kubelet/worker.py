"""One pod on this node, from its admission to its removal: the order of the steps."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from rescue.sandbox.kubelet.backoff import Backoff
from rescue.sandbox.kubelet.conditions import OURS
from rescue.sandbox.kubelet.ground import Ground
from rescue.sandbox.kubelet.launch import Place
from rescue.sandbox.kubelet.lives import DEFINITION, Lives
from rescue.sandbox.kubelet.node import Node
from rescue.sandbox.kubelet.observed import Container, Kind, PodView, Waiting, containers_of
from rescue.sandbox.kubelet.order import due, wants_start
from rescue.sandbox.kubelet.phase import phase_of
from rescue.sandbox.kubelet.starter import Starter
from rescue.sandbox.kubelet.status import pod_key, pod_status
from rescue.sandbox.store import NotFound, Object, timestamp

LOG = logging.getLogger(__name__)
# Retries of a failed mount or sandbox: doubled from the first to the last (seconds).
FIRST_RETRY, LAST_RETRY = 0.5, 122.0
# ConfigMap, Secret and downward volumes are looked at again this often (seconds).
REFRESH = 30.0
# After podman failed in a way that has no words in Kubernetes (seconds).
FAILED_STEP = 2.0
DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class PodWorker:
    """Drives one pod; ``update`` and ``forget`` come from the API, everything else from its own loop."""

    def __init__(self, node: Node, pod: Object) -> None:
        self.view = PodView(pod, containers_of(pod), node.address(), timestamp())
        self._wake = asyncio.Event()
        self.lives = Lives(node, self.view, self._wake.set, self._publish)
        self._node = node
        self._starter = Starter(node, self.lives)
        self._restarts = Backoff()
        self._born = time.monotonic()
        self._gone = False
        self._ground = Ground(node, self.view)
        self._retry = FIRST_RETRY

    def update(self, pod: Object) -> None:
        """The API has a new version of the pod."""
        known = {container.name: container for container in self.view.containers}
        fresh = relevant(pod) != relevant(self.view.pod)
        self.view.pod = pod
        for container in containers_of(pod):
            if container.name in known:
                self.lives.redefine(known[container.name], container.spec)
            else:
                self.view.containers.append(container)
        if "deletionTimestamp" in pod["metadata"]:
            self.lives.leaving.set()
        if pod["metadata"].get("deletionGracePeriodSeconds") == 0:
            self.lives.hurry.set()
        if fresh:
            self._wake.set()

    def forget(self) -> None:
        """The pod is gone from the API, by force: remove it here without grace."""
        self._gone = True
        self.lives.leaving.set()
        self.lives.hurry.set()
        self._wake.set()

    async def run(self) -> None:
        """Live until the pod is removed from the API and from this node."""
        while not self._leaving():
            # Cleared before the look: what changes during it is looked at again.
            self._wake.clear()
            self._publish()
            wait = await self._guarded(self._turn)
            if not self._leaving():
                await self._rest(wait)
        while (wait := await self._guarded(self._leave)) > 0:
            await asyncio.sleep(wait)

    def container(self, name: str) -> Container | None:
        """The container of this name."""
        return next((c for c in self.view.containers if c.name == name), None)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def _leaving(self) -> bool:
        return self._gone or "deletionTimestamp" in self.view.pod["metadata"]

    def _finished(self) -> bool:
        return phase_of(self.view) in ("Succeeded", "Failed")

    def _publish(self) -> None:
        """Write the status; the conditions of others are taken from the API at this moment."""
        meta = self.view.pod["metadata"]
        try:
            current = self._node.store.get("pods", meta["namespace"], meta["name"])
        except NotFound:
            return
        if current["metadata"]["uid"] != meta["uid"]:
            return
        self.view.pod = current
        status = pod_status(self.view, timestamp())
        self.view.pod = self._node.store.update_status("pods", meta["namespace"], meta["name"], status)

    async def _guarded(self, action: Callable[[], Awaitable[float]]) -> float:
        """Do it; a failure that has no word in Kubernetes is said in an event and the log, and tried again.

        Whatever it is: one pod's trouble must not end its worker, for the next update would start a new one.
        """
        try:
            return await action()
        except Exception as error:
            LOG.warning("%s", pod_key(self.view.pod), exc_info=error)
            self._node.event(self.view.pod, "FailedSync", f"error syncing pod: {error}", warning=True)
            return FAILED_STEP

    async def _turn(self) -> float:
        """One look at a pod that stays; seconds until the next."""
        wait = REFRESH if self.view.phase_settled else await self._step()
        self._publish()
        if self._finished() and not self.view.phase_settled:
            await self._settle()
        return wait

    async def _step(self) -> float:
        """Do what is due now; seconds until something is due again."""
        left = self._until_deadline()
        if left <= 0:
            await self._fail_by_deadline()
            return 0.0
        prepared = await self._ground.prepare()
        # The containers' variables may name the address that is now in the status.
        self._publish()
        if not prepared:
            wait, self._retry = self._retry, min(self._retry * 2, LAST_RETRY)
            return min(wait, left)
        waits = [REFRESH, left]
        for container in due(self.view):
            if self._leaving():
                break
            again = await self._advance(self._ground.place(), container)
            waits += [] if again is None else [again]
        return min(waits)

    async def _advance(self, place: Place, container: Container) -> float | None:
        """Bring one container to where it should be; seconds until it needs a look again."""
        since = container.last_exit
        if container.running:
            why = self.lives.condemned(container)
            if not why:
                return await self.lives.check(container)
            fault = "definition changed" if why == DEFINITION else f"failed {why} probe"
            message = f"Container {container.name} {fault}, will be restarted"
            await self.lives.kill(container, message, self.lives.grace(container, why))
        if not wants_start(container, self.view.pod["spec"].get("restartPolicy", "Always")):
            return None
        if since is not None:
            now = time.time()
            if left := self._restarts.remaining(container.name, since.moment, now):
                self._back_off(container)
                return left
            self._restarts.next(container.name, since.moment, now)
        wait = await self._starter.start(place, container)
        self._publish()
        return wait

    def _back_off(self, container: Container) -> None:
        pod = self.view.pod
        delay, key = self._restarts.delay(container.name), pod_key(pod)
        message = f"back-off {delay}s restarting failed container={container.name} pod={key}"
        waiting = Waiting("CrashLoopBackOff", message)
        if container.waiting != waiting:
            text = f"Back-off restarting failed container {container.name} in pod {key}"
            self._node.event(pod, "BackOff", text, container, warning=True)
        container.waiting = waiting

    def _until_deadline(self) -> float:
        seconds = self.view.pod["spec"].get("activeDeadlineSeconds")
        if seconds is None or self.view.failure:
            return REFRESH
        return float(self._born + seconds - time.monotonic())

    async def _fail_by_deadline(self) -> None:
        self._node.event(self.view.pod, *DEADLINE)
        self.view.failure = DEADLINE
        self._publish()
        await self._settle()

    async def _settle(self) -> None:
        """A finished pod gives back its sandbox, and only then shows its phase."""
        await self._kill_all(float(self.view.pod["spec"].get("terminationGracePeriodSeconds", 30)))
        await self._ground.stop()
        self.view.phase_settled = True
        self._publish()

    async def _leave(self) -> float:
        """Stop and remove the pod, here and then in the API; 0 when that is done."""
        meta = self.view.pod["metadata"]
        self.view.removing = True
        await self._kill_all(0.0 if self._gone else float(meta.get("deletionGracePeriodSeconds", 30)))
        self.view.phase_settled = True
        self._publish()
        await self._ground.remove()
        if not self._gone:
            self._publish()
            with contextlib.suppress(NotFound):
                self._node.store.delete("pods", meta["namespace"], meta["name"])
        return 0.0

    async def _kill_all(self, grace: float) -> None:
        """The containers together, then the sidecars from the last to the first (KEP-753)."""
        self.lives.stop_probes()
        await asyncio.gather(*(self._stop(c, grace) for c in self.view.of(Kind.APP, Kind.INIT, Kind.EPHEMERAL)))
        for sidecar in reversed(self.view.of(Kind.SIDECAR)):
            await self._stop(sidecar, grace)

    async def _stop(self, container: Container, grace: float) -> None:
        if container.running:
            await self.lives.kill(container, f"Stopping container {container.name}", grace)


def relevant(pod: Object) -> Object:
    """The part of a pod whose change needs a look: everything but versions and our own status; pure."""
    meta = {key: value for key, value in pod["metadata"].items() if key not in _VERSIONS}
    others = [c for c in pod.get("status", {}).get("conditions", []) if c["type"] not in OURS]
    return {"metadata": meta, "spec": pod["spec"], "conditions": others}


_VERSIONS = ("resourceVersion", "managedFields")
