"""The keeper's stream against the reader that ``rescue`` uses."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from rescue.frames import Data, End, Frame, FrameReader, Heartbeat
from tests.agent.spool import Rescue, Run, until

NAMES = ("hunter.log", "stdout", "stderr", "strace.log", "strace.err", "memory.tsv", "end")


def frames_of(data: bytes) -> list[Frame]:
    """Everything that a stream said."""
    return list(FrameReader().feed(data))


def stream(rescue: Rescue, **offsets: int) -> list[Frame]:
    """Stream run 1 to its end."""
    done = rescue.keeper("stream", "1", *(f"{name.replace('_', '.')}={at}" for name, at in offsets.items()))
    assert (done.returncode, done.stderr) == (0, b"")
    return frames_of(done.stdout)


def gathered(frames: list[Frame], name: str, start: int = 0) -> bytes:
    """The bytes of one file; every piece must follow the one before."""
    found = b""
    for frame in frames:
        if isinstance(frame, Data) and frame.name == name:
            assert frame.offset == start + len(found)
            found += frame.payload
    return found


@pytest.fixture
def finished(rescue: Rescue) -> Run:
    """A run that is over, with 5 MB of every byte on stdout."""
    noise = random.Random(7).randbytes(5_000_003)
    (rescue.root / "noise").write_bytes(noise)
    return rescue.replay("/bin/cat", str(rescue.root / "noise"), trace="no")


def test_every_file_arrives_byte_for_byte_and_the_last_frame_is_the_end(rescue: Rescue, finished: Run) -> None:
    frames = frames_of(rescue.keeper("stream", "1", *(f"{name}=0" for name in NAMES)).stdout)
    for name in NAMES:
        assert gathered(frames, name) == (finished.out / name).read_bytes()
    assert frames[-1] == End()
    assert frames.count(End()) == 1


@pytest.mark.parametrize("offset", [1, 65_535, 65_537, 1_048_575, 4_999_999, 5_000_003])
def test_a_stream_is_taken_up_at_any_offset(rescue: Rescue, finished: Run, offset: int) -> None:
    frames = stream(rescue, stdout=offset)
    assert gathered(frames, "stdout", offset) == (finished.out / "stdout").read_bytes()[offset:]
    assert frames[-1] == End()


@pytest.mark.usefixtures("finished")
def test_a_big_file_does_not_starve_a_small_one(rescue: Rescue) -> None:
    done = rescue.keeper("stream", "1", "stdout=0", "end=0")
    assert 0 < done.stdout.index(b"D end 0 ") < 2_000_000


def test_news_arrive_while_the_program_runs(rescue: Rescue, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    rescue.hold("/bin/sh", "-c", f"echo one; until [ -e {gate} ]; do sleep 0.02; done; echo two")
    rescue.request()
    environment = os.environ | {"RESCUE_ROOT": str(rescue.root)}
    command = rescue.command("keeper", "stream", "1", "stdout=0")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        seen = b""
        while b"one\n" not in seen:
            seen += process.stdout.readline()
        gate.touch()
        seen += process.stdout.read()
    frames = frames_of(seen)
    assert gathered(frames, "stdout") == b"one\ntwo\n"
    assert any(isinstance(frame, Heartbeat) for frame in frames)
    assert frames[-1] == End()


def test_a_cut_stream_has_no_end_and_is_taken_up_by_the_next(rescue: Rescue) -> None:
    rescue.hold(sys.executable, "-u", "-c", "import time\nfor n in range(10**9): print(n); time.sleep(0.001)")
    run = rescue.request()
    environment = os.environ | {"RESCUE_ROOT": str(rescue.root)}
    command = rescue.command("keeper", "stream", "1", "stdout=0")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        cut = frames_of(process.stdout.read(1000))
        process.kill()
    assert End() not in cut
    have = len(gathered(cut, "stdout"))
    rescue.keeper("stop", "1")
    until(lambda: run.ended, "the end")
    rest = gathered(stream(rescue, stdout=have), "stdout", have)
    assert gathered(cut, "stdout") + rest == (run.out / "stdout").read_bytes()


def test_a_newer_stream_takes_over(rescue: Rescue) -> None:
    rescue.request()
    environment = os.environ | {"RESCUE_ROOT": str(rescue.root)}
    command = rescue.command("keeper", "stream", "1", "stdout=0")
    streams = []
    for _ in range(2):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline().startswith(b"H ")
        streams.append(process)
    _, complaint = streams[0].communicate(timeout=20)
    assert (streams[0].returncode, complaint) == (75, b"rescue: a newer stream has taken over\n")
    assert streams[1].poll() is None
    streams[1].kill()
    streams[1].communicate()
