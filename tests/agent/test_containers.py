"""The hunter as a container runs it: PID 1, an image with nothing but one program, no rights, a limit on memory."""

import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.agent.spool import BUSYBOX, Rescue, Run, until

pytestmark = pytest.mark.containers

PODMAN = ["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
NOBODY = ["--user", "65534", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"]
RULES = YAML(typ="safe").load(Path(__file__).parents[2] / "patches/60-target.yaml")["rules"]
# What the clone's container really runs; the command to replay follows as arguments.
HOLD: list[str] = next(rule["value"] for rule in RULES if rule["id"] == "hold-command")

Start = Callable[..., str]


def podman(*arguments: str) -> str:
    """Run podman; fails with what it said."""
    # conmon writes an empty file `oom` into the folder that podman was called from.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*PODMAN, *arguments], capture_output=True, text=True, timeout=60, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image from scratch: one static program."""
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("busybox")
        content = Path(BUSYBOX).read_bytes()
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    name = f"localhost/rescue-agent-test:{os.getpid()}"
    podman("import", str(archive), name)
    yield name
    podman("rmi", "--force", name)


@pytest.fixture
def start(rescue: Rescue, image: str) -> Iterator[Start]:
    """Start a container whose /.rescue is the folder of the test; gives its name."""
    started: list[str] = []

    def run(*command: str, options: list[str] | None = None) -> str:
        name = f"rescue-agent-test-{os.getpid()}-{len(started)}"
        started.append(name)
        mount = f"{rescue.root}:/.rescue"
        podman(
            "run", "--detach", "--name", name, "--network", "none", "--volume", mount, *LIMITS, *(options or []),
            image, *command,
        )  # fmt: skip
        return name

    yield run
    # One by one, the last first: a container whose namespace another one uses must go after it.
    for name in reversed(started):
        podman("rm", "--force", "--time", "0", name)


def finish(run: Run) -> Run:
    """Wait for the end record."""
    until(lambda: run.ended, "the end record")
    return run


def test_a_scratch_image_without_any_right_is_traced(rescue: Rescue, start: Start) -> None:
    start(*HOLD, "/busybox", "cat", "/etc/app/config.toml", options=NOBODY)
    run = finish(rescue.request())
    assert (run.end["ended"], run.end["exit_code"], run.end["traced"]) == ("exited", "1", "yes")
    assert '"/etc/app/config.toml", O_RDONLY) = -1 ENOENT' in run.read("strace.log")
    assert "can't open '/etc/app/config.toml'" in run.read("stderr")
    log = run.log
    assert (log["uid"], log["cap_eff"], log["no_new_privs"], log["hunter_pid"]) == ("65534", "0" * 16, "1", "1")


@pytest.mark.parametrize("trace", ["yes", "no"])
def test_the_environment_is_the_containers(rescue: Rescue, start: Start, trace: str) -> None:
    given = {"spring.url": "a=b", "with-dash": "it's", "LD_PRELOAD": "", "root": "mine", "PATH": "/x:/y"}
    options = [f"--env={name}={value}" for name, value in given.items()]
    start(*HOLD, "/busybox", "env", options=options)
    name = start("/busybox", "env", options=options)
    podman("wait", name)
    native = sorted(line for line in podman("logs", name).splitlines() if not line.startswith("HOSTNAME="))
    run = finish(rescue.request(trace=trace))
    found = sorted(line for line in run.read("stdout").splitlines() if not line.startswith("HOSTNAME="))
    assert found == native
    assert "spring.url=a=b" in native


def test_root_without_capabilities_is_traced(rescue: Rescue, start: Start) -> None:
    start(*HOLD, "/busybox", "sh", "-c", "kill -SEGV $$", options=["--cap-drop", "ALL"])
    run = finish(rescue.request())
    assert (run.end["ended"], run.end["signal"], run.end["traced"]) == ("signaled", "SIGSEGV", "yes")


@pytest.mark.parametrize("trace", ["yes", "no"])
def test_an_oom_kill_is_seen_and_survived(rescue: Rescue, start: Start, trace: str) -> None:
    start(*HOLD, "/busybox", "tail", "/dev/zero", options=["--memory", "48m", "--memory-swap", "48m"])
    run = finish(rescue.request(trace=trace))
    assert (run.end["ended"], run.end["signal"], run.end["exit_code"]) == ("signaled", "SIGKILL", "137")
    header, *rows = run.read("memory.tsv").splitlines()
    assert header.endswith(f"\tlimit={48 * 1024 * 1024}")
    last = [row.split("\t") for row in rows if "\tcgroup\t" in row][-1]
    assert int(last[4]) >= 1, "an OOM kill is counted"
    assert int(last[3]) > 40 * 1024 * 1024, "the peak is near the limit"
    assert finish(rescue.request(2, trace=trace)).end["ended"] == "signaled"


@pytest.mark.parametrize(("errno", "word"), [(1, "EPERM"), (38, "ENOSYS")])
def test_where_ptrace_is_refused_the_replay_is_untraced_and_says_why(
    rescue: Rescue, start: Start, tmp_path: Path, errno: int, word: str
) -> None:
    profile = tmp_path / "seccomp.json"
    refusal = {"names": ["ptrace"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno}
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [refusal]}))
    start(*HOLD, "/busybox", "sh", "-c", "echo ran; exit 5", options=["--security-opt", f"seccomp={profile}"])
    run = finish(rescue.request())
    assert (run.end["ended"], run.end["exit_code"], run.end["traced"]) == ("exited", "5", "no")
    assert run.end["note"].startswith("not traced: ptrace is") and word in run.end["note"]
    assert run.read("stdout") == "ran\n"


def test_a_daemon_of_an_untraced_replay_is_ended_and_reaped(rescue: Rescue, start: Start) -> None:
    daemon = "/busybox setsid /busybox setsid /busybox sh -c '/busybox sleep 1000 & /busybox sleep 1001'"
    name = start(*HOLD, "/busybox", "sh", "-c", f"{daemon}; /busybox sleep 0.3; exit 4")
    run = finish(rescue.request(trace="no"))
    assert (run.end["ended"], run.end["exit_code"]) == ("exited", "4")
    assert "left behind" in run.end["note"]
    processes = podman("exec", name, "/.rescue/busybox", "ps", "-o", "pid,stat,args").splitlines()[1:]
    assert [line for line in processes if "/.rescue" not in line or " Z" in line] == []


def test_a_shared_pid_namespace_is_left_alone(rescue: Rescue, start: Start) -> None:
    other = start("/busybox", "sleep", "1000")
    start(*HOLD, "/busybox", "sh", "-c", "/busybox sleep 1001 & exit 6", options=["--pid", f"container:{other}"])
    run = finish(rescue.request())
    assert (run.end["exit_code"], run.log["hunter_pid"] != "1") == ("6", True)
    processes = podman("exec", other, "/busybox", "ps", "-o", "args").splitlines()
    assert "/busybox sleep 1000" in processes and "/busybox sleep 1001" not in processes


def test_when_everything_is_killed_the_next_hold_says_lost(rescue: Rescue, start: Start) -> None:
    name = start(*HOLD, "/busybox", "sh", "-c", "echo before; while :; do /busybox sleep 0.1; done", options=NOBODY)
    run = rescue.request()
    until(lambda: (run.out / "stdout").exists() and run.read("stdout"), "the program")
    podman("kill", "--signal", "KILL", name)
    podman("wait", name)
    assert not run.ended
    podman("start", name)
    assert finish(run).end["ended"] == "lost"
    assert run.read("stdout") == "before\n"
    assert run.read("strace.log").endswith("\n"), "the trace ends on a whole line"


def test_a_hold_as_pid_1_obeys_term(start: Start) -> None:
    name = start(*HOLD, "/busybox", "true", options=NOBODY)
    until(lambda: "holds this container" in podman("logs", name), "the hold")
    podman("kill", "--signal", "TERM", name)
    assert podman("wait", name) == "143"


def test_a_full_volume_is_said(rescue: Rescue, start: Start) -> None:
    (rescue.root / "spool").mkdir()
    mount = ["--mount", "type=tmpfs,destination=/.rescue/spool,tmpfs-size=2m,tmpfs-mode=0777"]
    name = start(*HOLD, "/busybox", "sh", "-c", "/busybox cat /dev/zero; exit 7", options=mount)
    keeper = ["exec", name, "/.rescue/busybox", "sh", "/.rescue/keeper"]
    podman(*keeper, "request", "1")
    said = podman(*keeper, "stream", "1", "end=0", "hunter.log=0")
    assert "ended=stopped" in said
    assert "note=the spool volume is full" in said
    assert said.endswith("\nE")
