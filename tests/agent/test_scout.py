"""The scout's observer beside real containers of runc: it sees what a main process runs first, byte for byte."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rescue.sighting import Start, parse
from tests.agent.spool import BUSYBOX, until
from tests.agent.test_containers import LIMITS, NOBODY, podman

pytestmark = pytest.mark.containers

SCRIPT = (Path(__file__).parents[2] / "hunter_agent" / "scout").read_text()
# The second program gets bytes that no manifest could bring.
ENTRY = r"""#!/bin/busybox sh
/bin/busybox sleep 0.5
exec /bin/busybox sh -c '/bin/busybox sleep 1; exit 0' "$1" "$(printf '\200\201\210\377')"
"""

Watch = Callable[..., list[Start]]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Run a container to its end beside an observer; gives the starts that the observer saw."""
    root = make_root(tmp_path)
    started: list[str] = []

    def run(*command: str, options: tuple[str, ...] = ()) -> None:
        place = ["--network", "none", *LIMITS, *options, "--rootfs", f"{root}:O"]
        started.append(podman("run", "--detach", *place, *command))

    def observe(*command: str, cpus: str = "0.01") -> list[Start]:
        run("/bin/busybox", "sleep", "1000")
        shared = f"--pid=container:{started[0]}"
        run("/bin/busybox", "sh", "-c", SCRIPT, options=(shared, *NOBODY))
        until(lambda: "rescue-scout 1" in podman("logs", started[1]), "the observer")
        run(*command, options=(shared, f"--cpus={cpus}"))
        podman("wait", started[2])
        until(lambda: "done " in podman("logs", started[1]), "the end of the sighting")
        return parse(podman("logs", started[1]) + "\n")

    yield observe
    for name in reversed(started):
        podman("rm", "--force", "--time", "0", name)


def make_root(folder: Path) -> Path:
    """A root file system with busybox and a script that becomes another program."""
    root = folder / "root"
    for name in ("bin", "dev", "etc", "proc", "run", "sys", "tmp"):
        (root / name).mkdir(parents=True)
    subprocess.run(["cp", BUSYBOX, root / "bin" / "busybox"], check=True)
    (root / "entry").write_text(ENTRY)
    (root / "entry").chmod(0o755)
    return root


def test_the_first_program_and_what_it_becomes(watch: Watch) -> None:
    (start,) = watch("/entry", "Á b", cpus="1")
    assert start.first == (b"/bin/busybox", b"sh", b"/entry", "Á b".encode())
    second = (b"/bin/busybox", b"sh", b"-c", b"/bin/busybox sleep 1; exit 0", "Á b".encode(), b"\x80\x81\x88\xff")
    assert start.programs[1:] == [second]


def test_every_word_arrives(watch: Watch) -> None:
    words = ["", "two\nlines\n", " $(x) `y` \\ ' \" ", "".join(map(chr, range(1, 32))), "ÁÈ€😀", ""]
    (start,) = watch("/bin/busybox", "sh", "-c", "/bin/busybox sleep 1; exit 0", *words)
    assert start.first is not None
    assert start.first[4:] == tuple(word.encode() for word in words)


def test_a_long_command_is_read_whole(watch: Watch) -> None:
    words = [f"--option-{number}=" + "x" * 1000 for number in range(20)]
    (start,) = watch("/bin/busybox", "sh", "-c", "/bin/busybox sleep 2; exit 0", *words)
    assert start.first is not None
    assert start.first[4:] == tuple(word.encode() for word in words)


def test_children_and_orphans_are_no_main_processes(watch: Watch) -> None:
    script = "(/bin/busybox sleep 1 &); /bin/busybox setsid /bin/busybox sleep 1; exit 0"
    assert len(watch("/bin/busybox", "sh", "-c", script)) == 1


def test_the_runtime_is_not_taken_for_the_program(watch: Watch) -> None:
    (start,) = watch("/bin/busybox", "sleep", "1")
    assert start.first == (b"/bin/busybox", b"sleep", b"1")
    assert start.gap is not None, "runc's init stage was seen before it"


def test_the_container_is_named(watch: Watch) -> None:
    (start,) = watch("/bin/busybox", "sleep", "1")
    assert any(len(word) == 64 for word in start.cgroup.replace(".", "-").split("-"))
