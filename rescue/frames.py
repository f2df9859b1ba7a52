"""The keeper's stream: bytes in any portions in, whole frames out.  Pure; hunter_agent/README.md has the format."""

from collections.abc import Iterator
from dataclasses import dataclass

HEADER_LIMIT = 256


class FrameError(ValueError):
    """The stream is not what a keeper writes."""


@dataclass(frozen=True)
class Data:
    """New bytes of one file of the spool, at their offset."""

    name: str
    offset: int
    payload: bytes


@dataclass(frozen=True)
class Heartbeat:
    """The keeper lives and has nothing new."""


@dataclass(frozen=True)
class End:
    """The replay has ended and every byte was sent."""


Frame = Data | Heartbeat | End


class FrameReader:
    """Cuts a stream into frames; a payload is handed on as it comes, not gathered."""

    def __init__(self) -> None:
        self._buffer = b""
        self._name = ""
        self._offset = 0
        self._left = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that ``data`` completes; raises FrameError for anything that is no frame."""
        self._buffer += data
        while self._buffer:
            if self._left:
                yield self._payload()
                continue
            line, newline, rest = self._buffer.partition(b"\n")
            if not newline:
                if len(line) > HEADER_LIMIT:
                    raise FrameError(f"not a frame: {line[:60]!r}")
                return
            self._buffer = rest
            frame = self._header(line)
            if frame is not None:
                yield frame

    def _payload(self) -> Data:
        piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        data = Data(self._name, self._offset, piece)
        self._offset += len(piece)
        self._left -= len(piece)
        return data

    def _header(self, line: bytes) -> Frame | None:
        words = line.decode("ascii", "replace").split(" ")
        if words[0] == "H":
            return Heartbeat()
        if words[0] == "E":
            return End()
        if words[0] == "D" and len(words) == 4 and words[2].isdigit() and words[3].isdigit():
            self._name, self._offset, self._left = words[1], int(words[2]), int(words[3])
            return None
        raise FrameError(f"not a frame: {line[:60]!r}")
