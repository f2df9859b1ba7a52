"""A sandbox of the suite's own: started, given the images, taken down, and searched for what it left."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rescue.sandbox.archive import write_archive
from tests.e2e.cluster import RESCUE
from tests.e2e.images import TOOLKIT, all_images


@contextmanager
def running(folder: Path, keep_images: bool) -> Iterator[Path]:
    """The kubeconfig of a sandbox that lives in ``folder`` for as long as the context does.

    Raises AssertionError with rescue's own words when it cannot be started, and when it leaves a container behind.
    """
    name, state = f"e2e-{os.getpid()}", folder / "state"
    # A toolkit image that the user already has stays as it is.
    images = [image for image in all_images() if not (image.name == TOOLKIT and _exists(TOOLKIT))]
    try:
        _sandbox("up", name, state)
        with TemporaryDirectory() as archives:
            _sandbox("load", name, state, *(str(write_archive(image, Path(archives))) for image in images))
        yield state / "rescue" / "sandbox" / name / "kubeconfig"
    finally:
        _sandbox("down", name, state)
        if not keep_images:
            _remove([image.name for image in images])
    left = _call("podman", "ps", "--all", "--quiet", "--filter", f"label=dev.rescue.sandbox={name}")
    assert not left, f"the sandbox left containers behind: {left}"


def _sandbox(verb: str, name: str, state: Path, *arguments: str) -> None:
    _call(str(RESCUE), "sandbox", verb, "--name", name, *arguments, XDG_STATE_HOME=str(state))


def _remove(images: list[str]) -> None:
    """Remove images from podman, but never one that a container of somebody else uses (exit code 2 of rmi)."""
    done = subprocess.run(["podman", "rmi", "--ignore", *images], capture_output=True, text=True)
    assert done.returncode in (0, 2), done.stderr


def _exists(image: str) -> bool:
    return subprocess.run(["podman", "image", "exists", image]).returncode == 0


def _call(*command: str, **environment: str) -> str:
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=180)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
