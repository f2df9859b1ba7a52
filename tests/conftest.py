"""Options of the whole suite."""

import signal
from types import FrameType

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the end-to-end tests run."""
    group = parser.getgroup("rescue")
    group.addoption(
        "--context",
        help="run the end-to-end tests on the cluster of this kubeconfig context (its nodes must have the images of "
        "`make e2e-images`); default: a sandbox of their own",
    )
    group.addoption("--keep-images", action="store_true", help="leave the end-to-end images in podman")


def pytest_configure() -> None:
    """Let timeout(1) and CI end the run as Ctrl-C does: the fixtures still take down what they started."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
