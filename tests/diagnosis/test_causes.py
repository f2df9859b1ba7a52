"""The rules: every example, and every way to write one wrongly."""

import pytest

from rescue.diagnosis.causes import Cause, load
from rescue.diagnosis.diagnose import rules
from rescue.errors import RescueError

ALL = [(cause, outcome, facts) for cause in rules() for outcome, facts in cause.examples]
CODES = """RSC101 RSC102 RSC103 RSC110 RSC111 RSC112
    RSC120 RSC121 RSC122 RSC123 RSC124 RSC140 RSC141 RSC142 RSC143
    RSC150 RSC151 RSC152 RSC153 RSC154 RSC155 RSC156 RSC157 RSC158 RSC159
    RSC160 RSC161 RSC162 RSC163 RSC164 RSC165 RSC166 RSC169 RSC201 RSC202 RSC203 RSC204 RSC210
    RSC211 RSC301 RSC310 RSC311 RSC312 RSC313 RSC320 RSC330 RSC331 RSC332 RSC401 RSC402 RSC403 RSC404 RSC900"""

GOOD = """about: file
rules:
  - code: RSC999
    title: Test
    when: {fact: file.errno, is: ENOENT}
    confidence: likely
    specificity: 1
    message: Needs {file.path}.
    advice: Add it.
    examples: {likely: {file.errno: ENOENT}, miss: {file.errno: EACCES}}
"""


@pytest.mark.parametrize(("cause", "outcome", "facts"), ALL, ids=[f"{c.where}-{o}" for c, o, _ in ALL])
def test_example_is_judged_as_it_says(cause: Cause, outcome: str, facts: dict[str, object]) -> None:
    assert (cause.judge(facts) or "miss") == outcome  # type: ignore[arg-type]
    assert "{" not in cause.say(facts)  # type: ignore[arg-type]


def test_every_code_has_a_rule() -> None:
    assert set(CODES.split()) <= {cause.code for cause in rules()}


def test_crash_without_a_cause_is_never_more_than_a_hint() -> None:
    unknown = [cause for cause in rules() if cause.code == "RSC900"]
    assert [[level for level, _ in cause.confidence] for cause in unknown] == [["hint"]]
    assert all(cause.fallback for cause in unknown)


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("fact: file.errno", "fact: file.error", "unknown fact file.error"),
        ("fact: file.errno", "fact: bind.errno", "unknown fact bind.errno"),
        ("is: ENOENT}", "equals: ENOENT}", "a condition is"),
        ("{file.path}", "{file.pat}", "unknown fact file.pat"),
        ("{file.path}", "{path}", "unknown fact path"),
        ("confidence: likely", "confidence: sure", "unknown confidence"),
        ("    advice: Add it.\n", "", "missing fields ['advice']"),
        ("title: Test", "title: Test\n    severity: 3", "unknown fields ['severity']"),
        (", miss: {file.errno: EACCES}", "", "examples need a miss"),
        ("likely: {file.errno", "likely: {file.errors", "unknown fact file.errors"),
    ],
)
def test_wrong_rule_is_refused_with_its_line(right: str, wrong: str, problem: str) -> None:
    assert right in GOOD
    with pytest.raises(RescueError) as caught:
        load(GOOD.replace(right, wrong), "mine.yaml")
    assert problem in caught.value.message
    assert caught.value.message.startswith("mine.yaml:3")


def test_rule_about_something_unknown_is_refused() -> None:
    with pytest.raises(RescueError, match=r"mine.yaml:1: 'about' must be one of"):
        load(GOOD.replace("about: file", "about: files"), "mine.yaml")


def test_optional_sentences_are_said_only_when_they_hold() -> None:
    also = "also: [{when: {fact: file.key, known: true}, say: 'Key {file.key}.'}]\n    advice: Add it."
    (cause,) = load(GOOD.replace("advice: Add it.", also), "mine.yaml")
    assert cause.say({"file.path": "/x"}) == "Needs /x."
    assert cause.say({"file.path": "/x", "file.key": "k"}) == "Needs /x. Key k."


def test_fact_that_is_not_known_reads_as_a_question_mark() -> None:
    (cause,) = load(GOOD, "mine.yaml")
    assert cause.say({}) == "Needs ?."
