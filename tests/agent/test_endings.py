"""How a replay can end, traced and untraced."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.spool import Rescue, is_alive, status_of, until

both = pytest.mark.parametrize("trace", ["yes", "no"])
SIGNALS = ["SEGV", "ABRT", "KILL", "TERM"]


@both
@pytest.mark.parametrize("code", [0, 3, 139, 255])
def test_an_exit_code_is_reported(rescue: Rescue, trace: str, code: int) -> None:
    run = rescue.replay("/bin/sh", "-c", f"exit {code}", trace=trace)
    assert run.end["format"] == "rescue-end 1"
    assert (run.end["ended"], run.end["exit_code"], run.end["traced"]) == ("exited", str(code), trace)
    assert "signal" not in run.end


@both
@pytest.mark.parametrize("name", SIGNALS)
def test_a_fatal_signal_is_reported(rescue: Rescue, trace: str, name: str) -> None:
    run = rescue.replay("/bin/sh", "-c", f"kill -{name} $$; sleep 5", trace=trace)
    number = signal.Signals[f"SIG{name}"].value
    assert (run.end["ended"], run.end["signal"]) == ("signaled", f"SIG{name}")
    assert run.end["exit_code"] == str(128 + number)


def test_the_trace_ends_with_the_programs_end(rescue: Rescue) -> None:
    run = rescue.replay("/bin/sh", "-c", "kill -SEGV $$")
    last = run.read("strace.log").splitlines()[-1]
    assert last.startswith(run.end["main_pid"]) and "+++ killed by SIGSEGV" in last
    assert run.end["finished"] == last.split()[1]
    assert float(run.end["started"]) < float(run.end["finished"]) <= time.time()


def test_no_file_but_those_of_the_readme_is_left(rescue: Rescue) -> None:
    run = rescue.replay("/bin/true")
    assert {path.name for path in run.out.iterdir()} == {
        "argv", "hunter.log", "stdout", "stderr", "strace.log", "strace.err", "memory.tsv", "end",
    }  # fmt: skip


@both
def test_the_replay_ends_with_the_program_though_it_leaves_a_child(rescue: Rescue, trace: str) -> None:
    run = rescue.replay("/bin/sh", "-c", "sleep 1000 & echo $!; exit 4", trace=trace)
    assert run.end["exit_code"] == "4"
    assert "left behind" in run.end["note"]
    assert not is_alive(int(run.read("stdout")))


def test_a_daemon_that_left_the_session_is_ended_too(rescue: Rescue) -> None:
    run = rescue.replay("/bin/sh", "-c", "setsid sleep 1000 & echo $!; sleep 0.2; exit 4")
    assert run.end["exit_code"] == "4"
    assert not is_alive(int(run.read("stdout")))


@both
@pytest.mark.parametrize("name", ["no-such-program", "/no/such/program", "./no-such-program", "-x"])
def test_a_missing_program_is_127(rescue: Rescue, trace: str, name: str) -> None:
    run = rescue.replay(name, "argument", trace=trace)
    assert (run.end["ended"], run.end["exit_code"]) == ("failed", "127")
    assert "No such file or directory" in run.end["note"]
    assert run.read("stderr") == ""
    assert "No such file or directory" in run.read("strace.err")


@both
@pytest.mark.parametrize(
    ("text", "mode", "code", "errno"),
    [
        ("#!/bin/sh\n", 0o644, "126", "EACCES"),
        ("#!/bin/sh\r\necho never\r\n", 0o755, "127", "ENOENT"),
        ("#!/no/such/interpreter\n", 0o755, "127", "ENOENT"),
        ("echo a script without its first line\n", 0o755, "126", "ENOEXEC"),
        ("", 0o755, "126", "ENOEXEC"),
    ],
    ids=["not executable", "CRLF", "missing interpreter", "no shebang", "empty"],
)
def test_a_program_that_cannot_start_keeps_its_reason(
    rescue: Rescue, program: Callable[..., str], trace: str, text: str, mode: int, code: str, errno: str
) -> None:
    path = program(text, mode=mode)
    run = rescue.replay(path, trace=trace)
    assert (run.end["ended"], run.end["exit_code"]) == ("failed", code)
    assert (run.read("stdout"), run.read("stderr")) == ("", "")
    if trace == "yes":
        first = run.read("strace.log").splitlines()[0]
        assert f'execve("{path}"' in first and f"= -1 {errno} " in first


@both
def test_another_architectures_program_is_an_exec_format_error(
    rescue: Rescue, program: Callable[..., str], trace: str
) -> None:
    path = program("")
    header = bytearray((rescue.root / "busybox").read_bytes()[:4096])
    header[18:20] = b"\x16\x00"  # s390x
    Path(path).write_bytes(header)
    run = rescue.replay(path, trace=trace)
    assert (run.end["ended"], run.end["exit_code"]) == ("failed", "126")
    assert "Exec format error" in run.end["note"]


@both
def test_a_program_that_says_127_itself_did_run(rescue: Rescue, trace: str) -> None:
    run = rescue.replay("/bin/sh", "-c", "no-such-command", trace=trace)
    assert (run.end["ended"], run.end["exit_code"]) == ("exited", "127")
    assert "no-such-command" in run.read("stderr")


@both
def test_the_time_limit_ends_it(rescue: Rescue, trace: str) -> None:
    run = rescue.replay("/bin/sleep", "1000", trace=trace, seconds=1)
    assert (run.end["ended"], run.end["signal"]) == ("timeout", "SIGTERM")
    assert "time limit of 1 s" in run.end["note"]


@both
def test_a_stop_is_a_term_to_the_program(rescue: Rescue, trace: str) -> None:
    rescue.hold("/bin/sh", "-c", "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.1; done")
    run = rescue.request(trace=trace)
    until(lambda: (run.out / "stdout").exists() and "ready" in run.read("stdout"), "the program")
    assert rescue.keeper("stop", "1").returncode == 0
    until(lambda: run.ended, "the end")
    assert (run.end["ended"], run.end["exit_code"]) == ("stopped", "9")
    assert run.read("stdout") == "ready\nbye\n"


def test_a_program_that_ignores_term_is_killed(rescue: Rescue) -> None:
    rescue.hold("/bin/sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.1; done")
    run = rescue.request()
    until(lambda: (run.out / "stdout").exists() and run.read("stdout"), "the program")
    rescue.keeper("stop", "1")
    until(lambda: run.ended, "the end")
    assert (run.end["ended"], run.end["signal"]) == ("stopped", "SIGKILL")
    assert not is_alive(int(run.read("stdout")))


def test_when_strace_is_killed_the_program_is_not_left_without_system_calls(rescue: Rescue) -> None:
    rescue.hold("/bin/sh", "-c", "while :; do sleep 0.1; done")
    run = rescue.request()
    main = run.main_pid
    os.kill(int(status_of(main)["TracerPid"]), signal.SIGKILL)
    until(lambda: run.ended, "the end")
    assert run.end["ended"] == "lost"
    assert "strace ended before the program" in run.end["note"]
    assert not is_alive(main)
