"""The report for a terminal, where the bytes of a program must stay harmless."""

from dataclasses import replace

from rescue.diagnosis.output import lines
from rescue.model import Confidence, Diagnosis, Evidence, Finding, Report, Target
from rescue.report.text import render

TARGET = Target.from_json(
    {
        "namespace": "default",
        "pod": "crash",
        "container": "app",
        "isInit": False,
        "image": "crash:1",
        "state": "CrashLoopBackOff",
        "reason": "Error",
        "exitCode": 1,
        "signal": None,
        "restarts": 3,
        "lifetime": 1.0,
        "owner": None,
        "choice": "the only failing container",
    }
)
FINDING = Finding("RSC900", "Crashed", Confidence.HINT, "It said: \x1b[2Jhi", "Look.", (Evidence("stdout:1", "hi"),))
REPORT = Report(TARGET, Diagnosis((FINDING,)), None, {}, "case", 6)


def test_a_program_cannot_command_the_terminal() -> None:
    proof = Evidence("stdout:1", "title \x1b]0;mine\x07, bell \x07, erase \x7f, C1 \x9b2J, tab\there, \r back")
    text = render(replace(REPORT, diagnosis=Diagnosis((replace(FINDING, evidence=(proof,)),))))
    assert "tab\there" in text
    assert [char for char in text if (char < " " and char not in "\t\n") or "\x7f" <= char < "\xa0"] == []


def test_a_line_of_a_quarter_megabyte_is_shortened_before_anybody_searches_it() -> None:
    (line,) = lines("stdout", b"head" + b"\0" * 300_000 + b"tail")
    assert len(line.text) < 5000
    assert line.text.endswith("tail")


UNSTARTED = replace(TARGET, state="never started", reason="CreateContainerConfigError", exit_code=None, lifetime=None)


def test_a_container_that_never_started_is_reported_without_an_end_a_replay_and_a_clone() -> None:
    found = replace(FINDING, confidence=Confidence.CERTAIN, message="Secret db is missing.")
    text = render(Report(UNSTARTED, Diagnosis((found,)), None, {}, "case", 0))
    assert "app   CreateContainerConfigError; 3 restarts; the only failing container" in text
    assert "clone     none was needed" in text
    assert "replayed" not in text


def test_a_pod_that_may_be_starting_is_told_so() -> None:
    text = render(Report(replace(UNSTARTED, reason="ContainerCreating"), Diagnosis(()), None, {}, "case", 3))
    assert "VERDICT   none: nothing says that it cannot start, so it may be starting now" in text
