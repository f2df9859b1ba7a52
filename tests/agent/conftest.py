"""A place for the agent, and programs for it to run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent.spool import Rescue, make_root


@pytest.fixture
def rescue(tmp_path: Path) -> Iterator[Rescue]:
    """A fresh folder for one test."""
    tool = Rescue(make_root(tmp_path / "rescue"))
    yield tool
    for process in tool.holding:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Write an executable script; gives its path."""

    def write(text: str, name: str = "program", mode: int = 0o755) -> str:
        path = tmp_path / name
        path.write_bytes(text.encode())
        path.chmod(mode)
        return str(path)

    return write
