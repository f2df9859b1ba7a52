"""The hunter and the keeper as they are uploaded, in a folder of this machine that stands for ``/.rescue``."""

import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rescue import toolkit

# Another busybox may be tried, such as one with the official image's configuration.
BUSYBOX = os.environ.get("RESCUE_TEST_BUSYBOX", "/bin/busybox")
PATIENCE = 20.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that must happen; fails, with its name, when it does not."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.02)


def key_values(text: str) -> dict[str, str]:
    """``key=value`` lines; a repeated key keeps all of its values, one a line."""
    found: dict[str, str] = {}
    for key, _, value in (line.partition("=") for line in text.splitlines()):
        found[key] = f"{found[key]}\n{value}" if key in found else value
    return found


def status_of(pid: int) -> dict[str, str]:
    """proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return status_of(pid)["State"][0] not in "ZX"
    except OSError:
        return False


@dataclass(frozen=True)
class Run:
    """What the hunter wrote about one run."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def read(self, name: str) -> str:
        """One file of the spool as text."""
        return (self.out / name).read_text()

    @property
    def ended(self) -> bool:
        return (self.out / "end").exists()

    @property
    def end(self) -> dict[str, str]:
        """The end record."""
        return key_values(self.read("end"))

    @property
    def log(self) -> dict[str, str]:
        """hunter.log without its time stamps."""
        return key_values("\n".join(line.partition(" ")[2] for line in self.read("hunter.log").splitlines()[1:]))

    @property
    def main_pid(self) -> int:
        """The program's pid, waited for."""
        until(lambda: (self.out / "hunter.log").exists() and "main_pid" in self.log, "the program's pid")
        return int(self.log["main_pid"])


@dataclass
class Rescue:
    """A folder with busybox and the unpacked toolkit; runs are numbered from 1."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    holding: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def command(self, script: str, *arguments: str) -> list[str]:
        """How the container runs one of the two programs."""
        return [str(self.root / "busybox"), "sh", str(self.root / script), *arguments]

    def _environment(self) -> dict[str, str]:
        return os.environ | self.environment | {"RESCUE_ROOT": str(self.root)}

    def keeper(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run the keeper to its end."""
        return subprocess.run(
            self.command("keeper", *arguments), env=self._environment(), input=stdin, capture_output=True, timeout=60
        )

    def request(self, number: int = 1, /, **options: object) -> Run:
        """Publish a request."""
        done = self.keeper("request", str(number), *(f"{key}={value}" for key, value in options.items()))
        assert (done.returncode, done.stderr) == (0, b"")
        return Run(self.root / "spool" / str(number))

    def replay(self, *argv: str, cwd: Path | None = None, umask: int = -1, **options: object) -> Run:
        """Request a run and do it, without a hold."""
        run = self.request(**options)
        done = subprocess.run(
            self.command("hunter", "replay", str(run.folder), *argv),
            env=self._environment(), cwd=cwd, umask=umask, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        return run

    def hold(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start the hold; it is ended with the test."""
        process = subprocess.Popen(
            self.command("hunter", "hold", *argv),
            env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.holding.append(process)
        return process


def make_root(folder: Path) -> Path:
    """Busybox, and what ``rescue`` uploads."""
    folder.mkdir()
    folder.chmod(0o777)
    shutil.copy(BUSYBOX, folder / "busybox")
    machine = os.uname().machine
    (folder / "ready").touch()
    with tarfile.open(fileobj=io.BytesIO(toolkit.load(machine).tar)) as tar:
        tar.extractall(folder, filter="data")
    return folder
