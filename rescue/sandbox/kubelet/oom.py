"""Whether the kernel's OOM killer struck in a container.

On cgroup v1 podman 4.3 missed every kill that was tried, so the container's memory cgroup gets an eventfd
between ``init`` and ``start`` (Documentation/admin-guide/cgroup-v1/memory.rst, section 10).  The kernel
signals it for each OOM, and once more when the cgroup is removed.  On v2 podman and conmon are asked.
"""

import asyncio
import contextlib
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
# The last signal comes with the removal of the cgroup, some ten milliseconds after the death.
PATIENCE = 1.0


class OomWatch:
    """Counts the OOM signals of the memory cgroup of process ``pid``; without cgroup v1 it sees none."""

    def __init__(self, pid: int) -> None:
        self._folder = memory_cgroup(Path(f"/proc/{pid}/cgroup").read_text())
        self._count = 0
        self._descriptor = -1
        if self._folder is not None and (self._folder / "cgroup.event_control").exists():
            self._descriptor = self._register(self._folder)

    @property
    def armed(self) -> bool:
        """Whether it can see anything: cgroup v1."""
        return self._descriptor >= 0

    async def struck(self) -> bool:
        """After the death: whether there was an OOM in the container; closes the watch."""
        if not self.armed or self._folder is None:
            return False
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            self._read()
            if self._count > 1 or (self._count == 1 and self._folder.exists()):
                break
            if self._count == 1 and not self._folder.exists():
                await asyncio.sleep(0.05)
                self._read()
                break
            await asyncio.sleep(0.02)
        return self._close()

    def _register(self, folder: Path) -> int:
        descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        control = os.open(folder / "memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
        try:
            (folder / "cgroup.event_control").write_text(f"{descriptor} {control}")
        finally:
            os.close(control)
        return descriptor

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._count += os.eventfd_read(self._descriptor)

    def _close(self) -> bool:
        alive = self._folder is not None and self._folder.exists()
        os.close(self._descriptor)
        self._descriptor = -1
        return self._count > (0 if alive else 1)


def memory_cgroup(text: str) -> Path | None:
    """The folder of the v1 memory controller in the text of ``/proc/PID/cgroup``; None on v2."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return CGROUPS / "memory" / path.lstrip("/")
    return None
