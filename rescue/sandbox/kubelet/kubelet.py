"""The kubelet: one worker per pod of this node, the deaths that podman reports, logs and exec."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

from rescue.sandbox.kubelet import logs
from rescue.sandbox.kubelet.cluster import ClusterInfo
from rescue.sandbox.kubelet.dns import serve
from rescue.sandbox.kubelet.images import Images
from rescue.sandbox.kubelet.logerror import LogError, log_of
from rescue.sandbox.kubelet.network import Network
from rescue.sandbox.kubelet.node import Node
from rescue.sandbox.kubelet.pause import pause_rootfs
from rescue.sandbox.kubelet.podman import Podman
from rescue.sandbox.kubelet.proxy import ServiceProxy
from rescue.sandbox.kubelet.pulls import Pulls
from rescue.sandbox.kubelet.streams import ExecSession, start_exec
from rescue.sandbox.kubelet.sweep import sweep
from rescue.sandbox.kubelet.volumes import Volumes
from rescue.sandbox.kubelet.worker import PodWorker
from rescue.sandbox.storage.disks import Disks
from rescue.sandbox.store import Object, Store, Watch

LOG = logging.getLogger(__name__)


class Kubelet:
    """``node`` is the name that the pods to run have in ``spec.nodeName``; ``root`` holds volumes and logs."""

    def __init__(self, store: Store, runtime: Podman, node: str, root: Path, cluster: ClusterInfo) -> None:
        self._store = store
        self._podman = runtime
        self._root = root
        images = Images(runtime)
        self._node = Node(
            name=node,
            store=store,
            cluster=cluster,
            podman=runtime,
            images=images,
            pulls=Pulls(runtime, images),
            network=Network(runtime),
            volumes=Volumes(root, runtime.sandbox),
            pause=root / "pause",
        )
        self._workers: dict[str, PodWorker] = {}
        # Pods that are gone from here, and still in the API because of their finalizers.
        self._removed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: Watch | None = None
        self._dns: asyncio.DatagramTransport | None = None

    @property
    def disks(self) -> Disks:
        """The disks behind PersistentVolumes, which the provisioner makes."""
        return self._node.volumes.disks

    async def start(self) -> None:
        """Make the network, then run the pods of this node; RescueError, PodmanError."""
        # A killed daemon may have left its containers behind.
        await sweep(self._podman.sandbox)
        pause_rootfs(self._root / "pause")
        await self._node.network.start()
        await self._start_services()
        self._watch = self._store.watch("pods")
        for pod in self._store.list("pods"):
            self._see(pod)
        self._spawn(self._follow_pods(self._watch))
        self._spawn(self._follow_deaths())

    async def stop(self) -> None:
        """Remove every container, network, mount and packet rule that the sandbox made."""
        if self._watch is not None:
            self._watch.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._workers.clear()
        if self._dns is not None:
            self._dns.close()
        await sweep(self._podman.sandbox)
        await self._node.pulls.forget()

    async def logs(
        self,
        pod: Object,
        container: str,
        *,
        previous: bool = False,
        follow: bool = False,
        tail_lines: int | None = None,
        since_seconds: int | None = None,
        timestamps: bool = False,
        limit_bytes: int | None = None,
    ) -> AsyncIterator[bytes]:
        """The log of a container's present or previous run; LogError before the first byte."""
        worker = self._workers.get(pod["metadata"]["uid"])
        found = worker.container(container) if worker else None
        run = log_of(pod, container, found, previous=previous)
        if run is None:
            return
        since = None if since_seconds is None else time.time() - since_seconds
        options = logs.LogOptions(tail_lines, since, timestamps, limit_bytes)
        ended = (lambda: run.exit is not None) if follow else None
        async for chunk in logs.read(run.log, options, ended):
            yield chunk

    async def exec(
        self, pod: Object, container: str, command: list[str], *, stdin: bool = False, tty: bool = False
    ) -> ExecSession:
        """Start a command in a running container; LogError when it does not run."""
        worker = self._workers.get(pod["metadata"]["uid"])
        found = worker.container(container) if worker else None
        if found is None or found.run is None or not found.run.running:
            message = f'unable to upgrade connection: container not found ("{container}")'
            raise LogError(500, "InternalError", message)
        return await start_exec(found.run.id, command, stdin=stdin, tty=tty)

    async def _start_services(self) -> None:
        """Names and addresses for Services, where the host allows it."""
        network, cluster = self._node.network, self._node.cluster
        self._dns = await serve(self._store, cluster.domain, network.gateway)
        proxy = ServiceProxy(self._store, self._podman.sandbox)
        if await proxy.start(network.subnet, cluster.service_cidr):
            self._spawn(proxy.follow())

    async def _follow_pods(self, watch: Watch) -> None:
        async for event in watch:
            pod = event.object
            if event.type == "DELETED":
                self._removed.discard(pod["metadata"]["uid"])
                if worker := self._workers.get(pod["metadata"]["uid"]):
                    worker.forget()
            else:
                self._see(pod)

    def _see(self, pod: Object) -> None:
        """A pod of this node is new or changed."""
        uid = pod["metadata"]["uid"]
        if uid in self._workers:
            self._workers[uid].update(pod)
        elif pod["spec"].get("nodeName") == self._node.name and uid not in self._removed:
            self._workers[uid] = PodWorker(self._node, pod)
            self._spawn(self._work(uid))

    async def _work(self, uid: str) -> None:
        try:
            await self._workers[uid].run()
            self._removed.add(uid)
        finally:
            self._workers.pop(uid, None)

    async def _follow_deaths(self) -> None:
        """Tell the workers of every death."""
        async for death in self._podman.deaths():
            for worker in list(self._workers.values()):
                self._spawn(worker.lives.died(death))

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            LOG.error("the kubelet failed at a pod", exc_info=error)
