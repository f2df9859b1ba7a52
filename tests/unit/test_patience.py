"""A moment without an answer is sat out; a refusal is not."""

import time

import pytest

from rescue.kube.errors import ClusterError
from rescue.kube.patience import OUTAGE_SECONDS, patiently


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which take no time."""
    slept: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def answering(*answers: str | int) -> list[str | int]:
    """The answers to come, last first; a number is the status of an error."""
    return list(reversed(answers))


def ask(answers: list[str | int]) -> str:
    answer = answers.pop()
    if isinstance(answer, int):
        raise ClusterError("no", "", answer)
    return answer


def test_it_asks_until_there_is_an_answer(slept: list[float]) -> None:
    answers = answering(0, 500, "yes")
    assert patiently(lambda: ask(answers)) == "yes"
    assert len(slept) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_refusal_is_final(status: int, slept: list[float]) -> None:
    answers = answering(status, "yes")
    with pytest.raises(ClusterError):
        patiently(lambda: ask(answers))
    assert slept == []


def test_its_patience_ends(slept: list[float]) -> None:
    answers = answering(*[0] * 1000)
    with pytest.raises(ClusterError):
        patiently(lambda: ask(answers))
    assert sum(slept) > OUTAGE_SECONDS
