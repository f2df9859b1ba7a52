"""What is uploaded: deterministic, complete, and honest when this machine's strace will not do."""

import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rescue import elf, toolkit

MACHINE = os.uname().machine


def names_of(tar: bytes) -> set[str]:
    """The files of a tar."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {member.name for member in archive if member.isfile()}


def test_it_has_the_agent_and_a_strace_that_runs_from_any_folder(tmp_path: Path) -> None:
    loaded = toolkit.load(MACHINE)
    assert loaded.traced and loaded.note == ""
    assert {"hunter", "keeper", "toolkit", "lib/replay.sh", "strace.d/strace"} <= names_of(loaded.tar)
    with tarfile.open(fileobj=io.BytesIO(loaded.tar)) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "strace.d"
    command = [str(folder / "ld.so"), "--library-path", str(folder), str(folder / "strace"), "-V"]
    assert f"version {loaded.strace}" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_same_files_give_the_same_bytes() -> None:
    assert toolkit.load(MACHINE).tar == toolkit.load(MACHINE).tar


def test_it_describes_itself() -> None:
    loaded = toolkit.load(MACHINE)
    assert loaded.describe() == f"strace {loaded.strace}, {len(loaded.tar) / 1e6:.1f} MB, {MACHINE}"


def test_for_another_machine_it_has_no_strace_and_says_so() -> None:
    loaded = toolkit.load("s390x")
    assert not loaded.traced
    assert loaded.note == f"this machine's strace is for {MACHINE}, the node is s390x"
    assert not any(name.startswith("strace.d") for name in names_of(loaded.tar))
    with tarfile.open(fileobj=io.BytesIO(loaded.tar)) as archive:
        member = archive.extractfile("toolkit")
        assert member is not None
        assert f"note={loaded.note}\n" in member.read().decode()


def test_without_strace_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    loaded = toolkit.load(MACHINE)
    assert (loaded.strace, loaded.traced) == ("", False)
    assert "apt-get install strace" in loaded.note
    assert loaded.describe().startswith("no strace: this machine has no strace")


@pytest.mark.parametrize("content", ["", "#!/bin/sh\n"])
def test_a_strace_that_is_no_program_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, program: Callable[..., str], content: str
) -> None:
    path = program(content, name="strace")
    monkeypatch.setenv("PATH", str(Path(path).parent))
    loaded = toolkit.load(MACHINE)
    assert loaded.note == "this machine's strace cannot be taken along: not an ELF program"


def test_the_header_of_a_dynamic_program_names_its_loader() -> None:
    header = elf.parse(Path("/usr/bin/strace").read_bytes())
    assert header.machine == MACHINE
    assert Path(header.loader).name.startswith("ld-")


def test_the_header_of_a_static_program_names_none() -> None:
    assert elf.parse(Path("/bin/busybox").read_bytes()) == elf.Elf(MACHINE, "")


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"MZ" * 64, b"\x7fELF\x02\x01" + b"\xff" * 80])
def test_what_is_no_program_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="ELF"):
        elf.parse(data)
