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
