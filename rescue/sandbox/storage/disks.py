"""The folders behind PersistentVolumes, one for each volume handle."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

# What a fresh file system of a real disk is to a pod without fsGroup: writable for all, so that tests need none.
_MODE = 0o777


class CopyError(Exception):
    """A disk could not be copied; the text is what ``cp`` said."""


class Disks:
    """The disks under ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, handle: str) -> Path:
        """Where the disk of a volume handle is, or would be."""
        return self._root / handle

    def make(self, handle: str) -> None:
        """An empty disk; one that is there already stays."""
        path = self.path(handle)
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(_MODE)

    async def copy(self, source: str, handle: str) -> None:
        """A disk with the present content of another: owners, modes, links and times are kept; CopyError."""
        self.remove(handle)
        self.make(handle)
        process = await asyncio.create_subprocess_exec(
            "cp", "--archive", "--reflink=auto", f"{self.path(source)}/.", str(self.path(handle)),
            stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE,
        )  # fmt: skip
        _, stderr = await process.communicate()
        if process.returncode:
            self.remove(handle)
            raise CopyError(stderr.decode(errors="replace").strip())

    def remove(self, handle: str) -> None:
        """Remove the disk; one that is gone is no error."""
        shutil.rmtree(self.path(handle), ignore_errors=True)
