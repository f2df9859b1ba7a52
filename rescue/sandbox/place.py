"""Where a sandbox keeps its files: kubeconfig, pid, log, volumes."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from rescue.errors import ExitCode, RescueError

DEFAULT_NAME = "default"
_NAME = "[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?"


@dataclass(frozen=True)
class Place:
    """The folder of one sandbox, ``$XDG_STATE_HOME/rescue/sandbox/NAME``."""

    name: str
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig file; there once the sandbox serves."""
        return self.folder / "kubeconfig"

    @property
    def pid(self) -> Path:
        """The daemon's process id."""
        return self.folder / "pid"

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.folder / "server.log"

    @property
    def node(self) -> Path:
        """The kubelet's folder: volumes and container logs."""
        return self.folder / "node"


def of(name: str) -> Place:
    """The place of a sandbox; RescueError for a name that cannot be one."""
    if not re.fullmatch(_NAME, name):
        raise RescueError(
            f"{name!r} cannot be the name of a sandbox",
            "use up to 32 lower case letters, digits and '-'",
            ExitCode.USAGE,
        )
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Place(name, Path(state) / "rescue" / "sandbox" / name)
