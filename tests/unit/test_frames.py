"""The keeper's stream is cut into frames wherever the network cuts it."""

import random

import pytest

from rescue.frames import Data, End, Frame, FrameError, FrameReader, Heartbeat

STREAM = b"D stdout 0 5\nhello" + b"H 12.5\n" + b"D strace.log 7 4\n\n\x00\xffE" + b"D stderr 3 0\n" + b"E\n"


def joined(frames: list[Frame]) -> list[Frame]:
    """Neighbouring pieces of one file as one."""
    out: list[Frame] = []
    for frame in frames:
        last = out[-1] if out else None
        if isinstance(frame, Data) and isinstance(last, Data) and last.offset + len(last.payload) == frame.offset:
            out[-1] = Data(last.name, last.offset, last.payload + frame.payload)
        else:
            out.append(frame)
    return out


@pytest.mark.parametrize("seed", range(30))
def test_frames_do_not_depend_on_the_portions(seed: int) -> None:
    rng, reader, frames, rest = random.Random(seed), FrameReader(), [], STREAM
    while rest:
        size = rng.randint(1, 9)
        frames += list(reader.feed(rest[:size]))
        rest = rest[size:]
    assert joined(frames) == [Data("stdout", 0, b"hello"), Heartbeat(), Data("strace.log", 7, b"\n\x00\xffE"), End()]


@pytest.mark.parametrize("garbage", [b"hello\n", b"D stdout x 5\n", b"D stdout 5\n", b"\n", b"x" * 300])
def test_garbage_is_an_error(garbage: bytes) -> None:
    with pytest.raises(FrameError):
        list(FrameReader().feed(garbage))
