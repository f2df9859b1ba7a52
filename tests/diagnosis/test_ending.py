"""How a replay ended, and how that compares with the original."""

from typing import Any

import pytest

from rescue.diagnosis import ending, memory, trace
from rescue.diagnosis.evidence import CaseFiles, case_files
from rescue.model import Memory, Replay


def summary(end: str = "", strace: bytes = b"", **more: Any) -> Replay:
    inputs = CaseFiles(container="app", end=end.encode(), strace=strace, **more)
    return ending.summarise(inputs, trace.read(strace))


def pod(exit_code: int, reason: str = "Error") -> dict[str, Any]:
    last = {"terminated": {"exitCode": exit_code, "reason": reason}}
    return {"status": {"containerStatuses": [{"name": "app", "state": {"waiting": {}}, "lastState": last}]}}


def test_end_record() -> None:
    replay = summary("ended=signaled\nexit_code=139\nsignal=SIGSEGV\nstarted=1.0\nfinished=3.5\ntraced=yes\n", b"x\n")
    assert (replay.ended, replay.exit_code, replay.signal, replay.seconds) == ("signaled", 139, "SIGSEGV", 2.5)
    assert replay.traced and replay.crashed


def test_notes_may_repeat_and_broken_lines_are_left_out() -> None:
    replay = summary("ended=failed\nnote=a=b\nnote=c\nrubbish\nexit_code=x\n")
    assert replay.notes == ("a=b", "c") and replay.exit_code is None


def test_missing_end_is_a_lost_container_whose_end_the_kubelet_knows() -> None:
    status = {"containerStatuses": [{"name": "app", "lastState": {"terminated": {"exitCode": 137}}}]}
    replay = summary("", b"7 1.0 exit_group(0) = ?\n", clone_status=status)
    assert (replay.ended, replay.exit_code, replay.signal) == ("lost", 137, "SIGKILL")


def test_missing_end_with_an_epilogue_in_the_trace() -> None:
    replay = summary("ended=lost\nmain_pid=7\n", b"7 1.0 +++ exited with 3 +++\n")
    assert (replay.ended, replay.exit_code) == ("lost", 3)


@pytest.mark.parametrize(
    ("was", "end", "noted"),
    [
        (3, "ended=exited\nexit_code=3\n", False),
        (3, "ended=exited\nexit_code=4\n", True),
        (139, "ended=signaled\nexit_code=134\nsignal=SIGABRT\n", False),
        (0, "ended=signaled\nexit_code=143\nsignal=SIGTERM\n", False),
        (1, "ended=timeout\n", True),
    ],
)
def test_different_end_is_noted_but_not_what_pid_1_changes(was: int, end: str, noted: bool) -> None:
    notes = summary(end, b"x\n", pod=pod(was)).notes
    assert any(f"exit code {was}" in note for note in notes) is noted


def test_reason_of_the_original_is_said() -> None:
    (note,) = summary("ended=exited\nexit_code=1\n", b"x\n", pod=pod(137, "OOMKilled")).notes
    assert "137 (OOMKilled)" in note


def test_untraced_replay_says_why() -> None:
    replay = summary("ended=exited\nexit_code=1\ntraced=no\n", strace_err=b"strace: ptrace: Operation not permitted\n")
    assert not replay.traced
    assert replay.notes == ("the replay was not traced: strace: ptrace: Operation not permitted",)


def test_memory_samples() -> None:
    table = (
        b"rescue-memory 1\tpage_size=4096\tcgroup=v1\tlimit=1000\n"
        b"1.0\tcgroup\t100\t100\t2\n1.0\tproc\t8\t90\tapp\n1.0\tproc\t9\t10\tsh\n"
        b"2.0\tcgroup\t600\t700\t2\n2.0\tproc\t8\t500\tapp\n3.0\tcgroup\t300\t700\t3\n3.0\tpro"
    )
    assert memory.read(table) == Memory(1000, 700, 1, 600.0, "app (pid 8)", 3)


@pytest.mark.parametrize("table", [b"", b"rescue-memory 1\tlimit=5\n", b"rubbish\n1.0\tcgroup\n\t\t\n"])
def test_memory_without_samples(table: bytes) -> None:
    assert memory.read(table) is None


def test_no_limit_of_cgroup_v1_is_no_limit() -> None:
    found = memory.read(b"rescue-memory 1\tlimit=9223372036854771712\n1.0\tcgroup\t1\t1\t0\n")
    assert found is not None and found.limit == 0


def test_case_files_by_their_names() -> None:
    found = case_files(
        {"container": "app", "command": ["a", "b"]},
        {"replay/end": b"ended=exited\n", "logs/app.previous.log": b"x", "events.json": [{"reason": "R"}], "other": 1},
    )
    assert (found.command, found.end, found.previous_log) == (("a", "b"), b"ended=exited\n", b"x")
    assert found.events == ({"reason": "R"},) and found.pod == {}
