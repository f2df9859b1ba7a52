"""A case is cut, mixed up or full of garbage: the diagnosis says less, and never fails."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescue.diagnosis.diagnose import examine
from rescue.diagnosis.evidence import CaseFiles
from rescue.model import JsonObject
from tests.diagnosis.test_cases import NAMES, inputs

FIELDS = ("strace", "strace_err", "stdout", "stderr", "memory", "end", "previous_log")
CHANGED = st.sampled_from(("strace", "stderr", "end", "memory"))


def with_file(case: CaseFiles, field: str, content: bytes) -> CaseFiles:
    """The case with one of its files replaced."""
    changes: dict[str, Any] = {field: content}
    return replace(case, **changes)


@given(st.sampled_from(NAMES), CHANGED, st.integers(0, 20_000), st.integers(0, 400), st.binary(max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_case(name: str, field: str, start: int, length: int, garbage: bytes) -> None:
    case = inputs(name)
    whole = bytes(getattr(case, field)[:])
    at = start % (len(whole) + 1)
    damaged = whole[:at] + garbage + whole[at + length :]
    diagnosis, _ = examine(with_file(case, field, damaged))
    assert len({finding.code for finding in diagnosis.findings}) == len(diagnosis.findings)


@pytest.mark.parametrize("field", FIELDS)
@given(st.binary(max_size=300))
@settings(max_examples=25, deadline=None)
def test_garbage_in_one_file(field: str, garbage: bytes) -> None:
    diagnosis, replay = examine(with_file(CaseFiles(container="app"), field, garbage))
    assert replay.exit_code is None or isinstance(replay.exit_code, int)
    sources = {item.source.partition(":")[0] for finding in diagnosis.findings for item in finding.evidence}
    assert sources <= {field.replace("_", "."), "strace.log", "memory.tsv", "end"}


def test_numbers_that_are_none() -> None:
    end = "ended=exited\nexit_code=²\nmain_pid=" + "9" * 5000
    table = "rescue-memory 1\tlimit=" + "9" * 5000 + "\n1.0\tcgroup\t²\t7\t" + "9" * 5000
    _, replay = examine(CaseFiles(container="app", end=end.encode(), memory=table.encode(), strace=b"9" * 5000))
    assert replay.exit_code is None
    assert replay.memory is not None and (replay.memory.limit, replay.memory.peak) == (0, 7)


@pytest.mark.parametrize(
    "pod",
    [{}, {"spec": {}}, {"spec": {"containers": []}, "status": {}}, {"status": {"containerStatuses": []}}],
    ids=str,
)
def test_pod_without_anything(pod: JsonObject) -> None:
    end = b"ended=exited\nexit_code=1\ntraced=no\n"
    diagnosis, _ = examine(CaseFiles(container="app", pod=pod, end=end, stderr=b"open /x: no such file or directory\n"))
    assert diagnosis.verdict is not None and diagnosis.verdict.code == "RSC101"
