"""The spool arrives byte for byte, however often the stream breaks, and a broken stream is never an end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rescue import collect
from rescue.clone import Clone
from rescue.errors import RescueError
from rescue.frames import Data
from rescue.kube import exec as kexec
from rescue.kube.errors import ClusterError
from rescue.kube.exec import STDERR, STDOUT, Dropped

CLONE = Clone("shop", "rescue-web-x2b4c", "uid", "1")
SPOOL = {"stdout": b"hello\n" * 50, "strace.log": bytes(range(256)) * 40, "end": b"ended=exited\n"}


class Keeper:
    """Sends a spool from the offsets that it is asked for, and breaks after ``portion`` bytes each time."""

    def __init__(self, portion: int) -> None:
        self.portion = portion
        self.exit_code: int | None = 0
        self.connections = 0

    def stream(self, offsets: dict[str, int]) -> bytes:
        frames = b"H 1.0\n"
        for name, content in SPOOL.items():
            rest = content[offsets[name] :]
            frames += f"D {name} {offsets[name]} {len(rest)}\n".encode() + rest
        return frames + b"E\n"

    @contextmanager
    def open_session(self, _cluster: Any, _ns: str, _pod: str, _container: str, command: list[str]) -> Iterator[Any]:
        self.connections += 1
        offsets = {name: int(size) for name, _, size in (word.partition("=") for word in command[5:])}
        keeper, sent = self, self.stream(offsets)

        class Session:
            exit_code = 0

            def frames(self) -> Iterator[tuple[int, bytes]]:
                yield STDERR, b"a note\n"
                yield STDOUT, sent[: keeper.portion]
                if len(sent) > keeper.portion:
                    raise Dropped("connection reset")

        yield Session()


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return lambda open_session: monkeypatch.setattr(kexec, "open_session", open_session)


@pytest.mark.parametrize("portion", [97, 1000, 100_000])
def test_nothing_is_lost_or_doubled(portion: int, tmp_path: Path, patched: Callable[[Any], None]) -> None:
    keeper = Keeper(portion)
    patched(keeper.open_session)
    collect.collect(None, CLONE, "1", tmp_path, lambda: None)  # type: ignore[arg-type]  # the keeper needs no cluster
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == SPOOL
    assert (keeper.connections > 1) == (portion < 100_000)


def test_a_keeper_that_ends_without_saying_so_is_no_end(tmp_path: Path, patched: Callable[[Any], None]) -> None:
    @contextmanager
    def silent(*_arguments: Any) -> Iterator[Any]:
        class Session:
            exit_code = 0

            def frames(self) -> Iterator[tuple[int, bytes]]:
                yield STDOUT, b"H 1.0\n"

        yield Session()

    patched(silent)
    clock = iter(range(0, 100_000, 20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: float(next(clock)))
        with pytest.raises(RescueError, match="is lost"):
            collect.collect(None, CLONE, "1", tmp_path, lambda: None)  # type: ignore[arg-type]


def test_a_clone_that_is_gone_ends_it_at_once(tmp_path: Path, patched: Callable[[Any], None]) -> None:
    @contextmanager
    def gone(*_arguments: Any) -> Iterator[Any]:
        raise ClusterError('pods "rescue-web-x2b4c" not found', "", 404)
        yield

    patched(gone)
    with pytest.raises(RescueError, match="not found") as lost:
        collect.collect(None, CLONE, "1", tmp_path, lambda: None)  # type: ignore[arg-type]
    assert lost.value.hint.startswith("somebody deleted the clone")


@pytest.mark.parametrize(("name", "offset"), [("../evil", 0), ("stdout", 3)])
def test_the_sink_takes_no_other_file_and_no_gap(name: str, offset: int, tmp_path: Path) -> None:
    with pytest.raises(RescueError, match="does not follow"):
        collect.Sink(tmp_path).write(Data(name, offset, b"x"))


def test_a_disk_that_takes_nothing_is_said() -> None:
    with pytest.raises(RescueError, match=r"cannot write .*stdout") as refused:
        collect.Sink(Path("/dev/null")).write(Data("stdout", 0, b"x"))
    assert "--case" in refused.value.hint
