"""The program must find what the container runtime gives it."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agent.spool import Rescue

both = pytest.mark.parametrize("trace", ["yes", "no"])
ARGUMENTS = ["", " ", "a b", "-n", "--", "'", '"', "$HOME `id` \\", "two\nlines\n", "\ttab", "*", "é", "", "last\\"]
ODD_ENVIRONMENT = {
    "spring.datasource.url": "jdbc:x?a=b", "with-dash": "1", "-leading": "x", "9digit": "nine",
    "LD_PRELOAD": "", "LD_LIBRARY_PATH": "/nowhere", "IFS": "x", "OPTIND": "none", "RANDOM": "fixed", "PPID": "x",
    "PWD": "/elsewhere", "OLDPWD": "/before", "SHLVL": "7", "LC_ALL": "de_DE.UTF-8",
    "QUOTES": "it's \"so\" $x `y`\n\tz\n",
    "out": "mine", "root": "mine", "bb": "mine", "run": "mine", "mode": "mine", "trace_set": "mine", "status": "mine",
    "leader": "mine", "notes": "mine", "option_trace": "no", "EMPTY": "", "_": "underscore",
}  # fmt: skip
SELF = """
import json, os, stat, sys
status = {key: value.strip() for key, _, value in (line.partition(":") for line in open("/proc/self/status"))}
fds = {n: stat.S_IFMT(os.fstat(n).st_mode) for n in range(64) if os.path.exists(f"/dev/fd/{n}")}
umask = os.umask(0)
print(json.dumps({"argv": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd(), "umask": umask, "fds": fds,
    "ignored": status["SigIgn"], "blocked": status["SigBlk"], "stdin": os.readlink("/proc/self/fd/0")}))
"""


@pytest.fixture
def self_portrait(program: Callable[..., str]) -> str:
    """A program that says what it was given."""
    return program(SELF, name="portrait.py")


def portrait(rescue: Rescue, script: str, *arguments: str, trace: str, **how: Any) -> dict[str, Any]:
    """What the program found in a replay."""
    run = rescue.replay(sys.executable, "-I", script, *arguments, trace=trace, **how)
    assert run.end["exit_code"] == "0", run.read("stderr")
    found: dict[str, Any] = json.loads(run.read("stdout"))
    return found


@both
def test_arguments_arrive_unchanged(rescue: Rescue, self_portrait: str, trace: str) -> None:
    assert portrait(rescue, self_portrait, *ARGUMENTS, trace=trace)["argv"] == ARGUMENTS


@both
def test_the_environment_arrives_unchanged(rescue: Rescue, self_portrait: str, trace: str) -> None:
    rescue.environment = ODD_ENVIRONMENT
    expected = os.environ | ODD_ENVIRONMENT | {"RESCUE_ROOT": str(rescue.root)}
    found = portrait(rescue, self_portrait, trace=trace)["environment"]
    # Python itself adds LC_CTYPE in the C locale (PEP 538), which this environment does not ask for.
    assert found == expected


@both
def test_directory_umask_and_signals_are_the_containers(
    rescue: Rescue, self_portrait: str, tmp_path: Path, trace: str
) -> None:
    found = portrait(rescue, self_portrait, trace=trace, cwd=tmp_path, umask=0o077)
    native = subprocess.run(
        [sys.executable, "-I", self_portrait], capture_output=True, cwd=tmp_path, umask=0o077, stdin=subprocess.DEVNULL
    )
    expected = json.loads(native.stdout)
    assert found["cwd"] == str(tmp_path)
    assert found["umask"] == 0o077
    assert (found["ignored"], found["blocked"]) == (expected["ignored"], expected["blocked"])


@both
def test_the_program_has_an_empty_stdin_two_pipes_and_nothing_else(
    rescue: Rescue, self_portrait: str, trace: str
) -> None:
    found = portrait(rescue, self_portrait, trace=trace)
    assert found["stdin"] == "/dev/null"
    assert {int(n): kind for n, kind in found["fds"].items() if int(n) < 3} == {
        0: stat.S_IFCHR, 1: stat.S_IFIFO, 2: stat.S_IFIFO,
    }  # fmt: skip
    assert set(found["fds"]) == {"0", "1", "2"}


@both
def test_a_bare_name_is_looked_up_in_path(rescue: Rescue, program: Callable[..., str], trace: str) -> None:
    path = program("#!/bin/sh\necho found\n", name="just-a-name")
    rescue.environment = {"PATH": f"/nonexistent:{Path(path).parent}:/usr/bin:/bin"}
    assert rescue.replay("just-a-name", trace=trace).read("stdout") == "found\n"


def test_a_bare_name_stays_the_programs_name(rescue: Rescue) -> None:
    run = rescue.replay("sh", "-c", "exit 0")
    assert '/sh", ["sh", "-c", "exit 0"]' in run.read("strace.log").splitlines()[0]


@both
def test_output_is_kept_byte_for_byte(rescue: Rescue, trace: str) -> None:
    code = "import os,sys; b=bytes(range(256)); os.write(1,b*20480+b'\\0end'); os.write(2,b[::-1])"
    run = rescue.replay(sys.executable, "-c", code, trace=trace)
    assert (run.out / "stdout").read_bytes() == bytes(range(256)) * 20480 + b"\0end"
    assert (run.out / "stderr").read_bytes() == bytes(range(256))[::-1]


def test_opening_dev_stderr_again_loses_nothing(rescue: Rescue) -> None:
    run = rescue.replay("/bin/sh", "-c", "echo one >&2; echo two >/dev/stderr; echo three >&2")
    assert run.read("stderr") == "one\ntwo\nthree\n"


def test_the_keeper_can_read_everything_whatever_the_umask(rescue: Rescue) -> None:
    run = rescue.replay("/bin/true", umask=0o077)
    assert {path.name: path.stat().st_mode & 0o444 for path in run.out.iterdir()} == {
        path.name: 0o444 for path in run.out.iterdir()
    }


def test_a_request_may_bring_its_own_command(rescue: Rescue) -> None:
    argv = b"/bin/echo\0two\nlines\0\0"
    done = rescue.keeper("request", "1", f"argv={len(argv)}", "trace=no", stdin=argv + b"not read")
    assert done.returncode == 0, done.stderr
    command = rescue.command("hunter", "replay", str(rescue.root / "spool/1"), "/bin/false")
    subprocess.run(command, env=os.environ | {"RESCUE_ROOT": str(rescue.root)}, check=True)
    assert (rescue.root / "spool/1/out/stdout").read_text() == "two\nlines \n"


def test_the_log_says_who_the_program_is(rescue: Rescue, tmp_path: Path) -> None:
    log = rescue.replay("/bin/true", cwd=tmp_path, umask=0o027).log
    assert (log["uid"], log["gid"]) == (str(os.getuid()), str(os.getgid()))
    assert (log["cwd"], log["umask"], log["no_new_privs"]) == (str(tmp_path), "0027", "0")
    assert int(log["cap_eff"], 16) >= 0
