"""Starting, finding and stopping the daemon, for the command line."""

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from rescue.errors import ExitCode, RescueError
from rescue.sandbox import kubeconfig
from rescue.sandbox.archive import Image, write_archive
from rescue.sandbox.kubelet import Podman, PodmanError, sweep
from rescue.sandbox.place import Place

_NEEDED = {"podman": "podman", "runc": "runc"}
_START_SECONDS = 60
_STOP_SECONDS = 60
_POLL_SECONDS = 0.1
_LOG_LINES = 5


def up(place: Place) -> bool:
    """Start the sandbox and wait until it serves; False when it ran already; RescueError."""
    _need_programs()
    if answers(place):
        return False
    _clear(place)
    place.folder.mkdir(mode=0o700, parents=True)
    with place.log.open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "rescue.sandbox", place.name, str(place.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,  # a daemon that does not come up says why in its log
        )
    _wait_until_ready(place)
    return True


def down(place: Place) -> bool:
    """Stop the sandbox and remove all that it made, also after a crash; False when there was nothing."""
    _need_programs()
    existed = place.folder.exists()
    _stop_process(place)
    _clear(place)
    return existed


def answers(place: Place) -> bool:
    """Whether the sandbox serves."""
    if not place.kubeconfig.exists() or running_pid(place) is None:
        return False
    url, authority = kubeconfig.server_of(place.kubeconfig)
    context = ssl.create_default_context(cadata=authority)
    with contextlib.suppress(urllib.error.URLError, OSError):
        return bool(urllib.request.urlopen(f"{url}/readyz", timeout=5, context=context).status == 200)
    return False


def running_pid(place: Place) -> int | None:
    """The daemon's pid while it lives; a pid that another program got since does not count."""
    try:
        pid = int(place.pid.read_text())
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if b"rescue.sandbox" in arguments else None


def load(place: Place, archives: list[Path]) -> list[str]:
    """Load image archives (docker or OCI) into podman; the images' names; RescueError."""
    _need_programs()
    podman = Podman(place.name)
    try:
        return [name for archive in archives for name in asyncio.run(_load(podman, archive))]
    except PodmanError as error:
        raise RescueError(
            f"podman cannot load the archive: {error.text}", "is it made by podman or docker save?"
        ) from None


async def _load(podman: Podman, archive: Path) -> list[str]:
    output = await podman.call("load", "--input", str(archive))
    return [line.partition(": ")[2] for line in output.splitlines() if line.startswith("Loaded image")]


@contextlib.contextmanager
def lent(place: Place, images: list[Image]) -> Iterator[None]:
    """Images in podman for the time of a block; one that was there before stays. RescueError."""
    _need_programs()
    strangers = [image for image in images if _podman("image", "exists", image.name) != 0]
    try:
        with tempfile.TemporaryDirectory() as folder:
            load(place, [write_archive(image, Path(folder)) for image in strangers])
        yield
    finally:
        if strangers:
            _podman("rmi", "--force", "--ignore", *(image.name for image in strangers))


def _podman(*arguments: str) -> int:
    return subprocess.run(["podman", *arguments], capture_output=True, check=False).returncode


def _need_programs() -> None:
    missing = [package for program, package in _NEEDED.items() if shutil.which(program) is None]
    if missing:
        raise RescueError(
            f"the sandbox runs real containers and needs {' and '.join(missing)}",
            f"apt-get install {' '.join(missing)}",
            ExitCode.CLUSTER,
        )


def _wait_until_ready(place: Place) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers(place):
        if running_pid(place) is None or time.monotonic() > deadline:
            last = "\n".join(place.log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])
            down(place)
            raise RescueError(f"the sandbox did not start:\n{last}", "", ExitCode.CLUSTER)
        time.sleep(_POLL_SECONDS)


def _stop_process(place: Place) -> None:
    for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
        deadline = time.monotonic() + seconds
        while (pid := running_pid(place)) is not None and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            time.sleep(_POLL_SECONDS)


def _clear(place: Place) -> None:
    """Remove what a stopped or killed daemon left behind: containers, mounts (first), files."""
    try:
        asyncio.run(sweep(place.name))
    except PodmanError as error:
        raise RescueError(f"podman failed: {error.text}", "try `podman ps`", ExitCode.CLUSTER) from None
    if place.folder.exists():
        shutil.rmtree(place.folder)
