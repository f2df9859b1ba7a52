"""The volumes of pods as folders of the host."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from rescue.sandbox.kubelet import atomic, quantities
from rescue.sandbox.kubelet.claims import claimed, takes_group
from rescue.sandbox.kubelet.foreign import foreign
from rescue.sandbox.kubelet.hostpath import check_host_path
from rescue.sandbox.kubelet.mounts import read_only_volumes
from rescue.sandbox.kubelet.ownership import fs_group, give_to_group, owned
from rescue.sandbox.kubelet.payload import SOURCES, VolumeError, World, volume_files
from rescue.sandbox.storage.disks import Disks
from rescue.sandbox.store import Object

# Volumes that podman itself mounts from an image.
IMAGE = "image"


class Volumes:
    """Volume folders under ``root``; tmpfs mounts are named ``rescue-<sandbox>`` so that a sweep finds them."""

    def __init__(self, root: Path, sandbox: str) -> None:
        self._root = root
        self.disks = Disks(root / "disks")
        self._mount_name = f"rescue-{sandbox}"

    def of_pod(self, pod: Object) -> Path:
        """The folder of everything that the kubelet keeps for one pod."""
        return self._root / "pods" / str(pod["metadata"]["uid"])

    def path(self, pod: Object, volume: str) -> Path:
        """Where a volume of the pod is, if it is a folder of ours."""
        return self.of_pod(pod) / "volumes" / volume

    async def set_up(self, volume: Object, world: World) -> Path:
        """Make the volume if it is not there; its path on the host; VolumeError."""
        path = self.path(world.pod, volume["name"])
        if SOURCES & volume.keys():
            files, owner = owned(volume_files(volume, world), world.pod)
            atomic.write(path, files, owner)
            return path
        if "emptyDir" in volume:
            return await self._empty_dir(path, volume["emptyDir"], world.pod)
        if "hostPath" in volume:
            return check_host_path(volume["hostPath"])
        if "persistentVolumeClaim" in volume or "ephemeral" in volume:
            return self._claimed(volume, world)
        if IMAGE in volume:
            return path
        raise foreign(volume, world)

    async def tear_down(self, pod: Object) -> None:
        """Remove the pod's folder, after unmounting what is mounted in it."""
        folder = self.of_pod(pod)
        for path in sorted((folder / "volumes").glob("*")):
            if path.is_mount():
                await run("umount", "--lazy", str(path))
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _empty_dir(self, path: Path, source: Object, pod: Object) -> Path:
        if path.exists():
            return path
        path.mkdir(parents=True)
        if source.get("medium") == "Memory":
            size = quantities.whole(source["sizeLimit"]) if source.get("sizeLimit") else 0
            await run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", self._mount_name, str(path))
        path.chmod(0o777)
        _share(path, pod)
        return path

    def _claimed(self, volume: Object, world: World) -> Path:
        path, found = claimed(volume, world, self.disks)
        if takes_group(found) and volume["name"] not in read_only_volumes(world.pod):
            _share(path, world.pod)
        return path


def _share(path: Path, pod: Object) -> None:
    group = fs_group(pod)
    if group is not None:
        give_to_group(path, group)


async def run(*command: str) -> str:
    """Run a host command and return its stdout; VolumeError with its stderr."""
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    stdout, stderr = await process.communicate()
    if process.returncode:
        raise VolumeError(f"{' '.join(command)}: {stderr.decode(errors='replace').strip()}")
    return stdout.decode(errors="replace")
