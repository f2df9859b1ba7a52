"""Container logs in the CRI format that podman's k8s-file driver writes: ``TIME STREAM F|P TEXT``."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

# How often a followed file is looked at.
POLL = 0.1


@dataclass(frozen=True)
class LogOptions:
    """What the caller of the log endpoint asked for; ``since`` is seconds since the epoch."""

    tail_lines: int | None = None
    since: float | None = None
    timestamps: bool = False
    limit_bytes: int | None = None


def plain(line: bytes, options: LogOptions) -> bytes:
    """The text of one CRI line, without a newline where the program wrote none; pure."""
    time, _, tag, text = _split(line)
    if options.since is not None and moment(time) < options.since:
        return b""
    return (time + b" " if options.timestamps else b"") + text + (b"" if tag == b"P" else b"\n")


def moment(time: bytes) -> float:
    """Seconds since the epoch of a CRI time, which has nanoseconds; pure."""
    return datetime.fromisoformat(time.decode()).astimezone(UTC).timestamp()


def last_text(path: Path, lines: int, size: int) -> str:
    """The end of a log: at most ``lines`` lines and ``size`` bytes."""
    data = b"".join(plain(line, LogOptions()) for line in deque(_lines(path), maxlen=lines))
    return data[-size:].decode(errors="replace")


async def read(path: Path, options: LogOptions, ended: Callable[[], bool] | None) -> AsyncIterator[bytes]:
    """The log as chunks of bytes; with ``ended`` it is followed until that is true and all is read."""
    left = options.limit_bytes
    async for line in _follow(path, options.tail_lines, ended):
        data = plain(line, options)
        if left is not None:
            data, left = data[:left], left - len(data)
        if data:
            yield data
        if left is not None and left <= 0:
            return


async def _follow(path: Path, tail: int | None, ended: Callable[[], bool] | None) -> AsyncIterator[bytes]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in _tail(_whole_lines(file), tail):
            yield line
        while ended is not None:
            # Asked before reading: what was written before the end is still read after it.
            finished = ended()
            for line in _whole_lines(file):
                yield line
            if finished:
                return
            await asyncio.sleep(POLL)


def _whole_lines(file: BinaryIO) -> list[bytes]:
    """The complete lines from here on; a last one still being written is left for the next time."""
    lines = file.readlines()
    if lines and not lines[-1].endswith(b"\n"):
        file.seek(-len(lines.pop()), os.SEEK_CUR)
    return lines


def _tail(lines: list[bytes], tail: int | None) -> Iterator[bytes]:
    """The last ``tail`` lines of the program: parts of one line count as one."""
    start, seen = (0, 0) if tail is None else (len(lines), 0)
    while tail is not None and start > 0:
        seen += _split(lines[start - 1])[2] != b"P" or start == len(lines)
        if seen > tail:
            break
        start -= 1
    yield from lines[start:]


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def _split(line: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    time, stream, tag, text = line.rstrip(b"\n").split(b" ", 3)
    return time, stream, tag, text
