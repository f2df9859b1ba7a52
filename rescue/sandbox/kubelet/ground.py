"""What a pod's containers stand on: its volumes, its infra container, its network files."""

import asyncio
from dataclasses import replace
from pathlib import Path

from rescue.sandbox.events import record_once
from rescue.sandbox.kubelet.launch import Place
from rescue.sandbox.kubelet.node import Node
from rescue.sandbox.kubelet.observed import PodView
from rescue.sandbox.kubelet.pause import start_pause, write_network_files
from rescue.sandbox.kubelet.payload import AttachError, VolumeError
from rescue.sandbox.kubelet.podman import PodmanError
from rescue.sandbox.kubelet.volumes import IMAGE


class Ground:
    """Made before the first container, taken away after the last."""

    def __init__(self, node: Node, view: PodView) -> None:
        self._node = node
        self._view = view
        self._pause = ""
        self._place: Place | None = None

    async def prepare(self) -> bool:
        """Bring volumes up to date and the infra container up; false when that failed this time."""
        volumes = await self._volumes()
        if volumes is None:
            return False
        if self._place is None:
            if not await self._start_pause():
                return False
            network = write_network_files(self._node, self._view.pod, self._view.ip)
            self._place = Place(self._view.pod, self._pause, volumes, self._image_volumes(), network, {})
        return True

    def place(self) -> Place:
        """What the containers stand on, with the pod as it is now; only after ``prepare``."""
        assert self._place is not None
        running = {c.name: c.run.id for c in self._view.containers if c.run and c.running}
        return replace(self._place, pod=self._view.pod, running=running)

    async def stop(self) -> None:
        """Remove the pod's containers; the logs and volumes stay."""
        runs = [run.id for c in self._view.containers for run in (c.run, c.previous) if run]
        await self._node.podman.remove(*filter(None, [*runs, self._pause]))
        self._pause, self._place = "", None
        self._view.sandbox_ready = False

    async def remove(self) -> None:
        """Remove everything that the pod had on this node."""
        await self.stop()
        await self._node.volumes.tear_down(self._view.pod)
        self._node.forget(self._view.pod)

    async def _volumes(self) -> dict[str, Path] | None:
        world = self._node.world(self._view.pod)
        paths: dict[str, Path] = {}
        for volume in self._view.pod["spec"].get("volumes", []):
            try:
                paths[volume["name"]] = await self._node.volumes.set_up(volume, world)
            except (VolumeError, OSError) as error:
                self._say(volume["name"], error if isinstance(error, VolumeError) else VolumeError(str(error)))
                return None
        return paths

    def _say(self, name: str, error: VolumeError) -> None:
        """The event; that a disk is on another node is said once, and by the controller that attaches disks."""
        pod, message = self._view.pod, error.message(name)
        if isinstance(error, AttachError):
            record_once(self._node.store, pod, error.reason, message, "Warning", "attachdetach-controller")
        else:
            self._node.event(pod, error.reason, message, warning=True)

    def _image_volumes(self) -> dict[str, str]:
        volumes = self._view.pod["spec"].get("volumes", [])
        return {volume["name"]: volume[IMAGE]["reference"] for volume in volumes if IMAGE in volume}

    async def _start_pause(self) -> bool:
        name = f"rescue-{self._node.podman.sandbox}-{self._view.pod['metadata']['uid']}"
        try:
            # One of an earlier try may be there, created and not started.
            await self._node.podman.remove(name)
            self._pause, self._view.ip = await asyncio.shield(start_pause(self._node, self._view.pod, name))
        except PodmanError as error:
            message = f"Failed to create pod sandbox: {error.text}"
            self._node.event(self._view.pod, "FailedCreatePodSandBox", message, warning=True)
            return False
        self._view.sandbox_ready = True
        return True
