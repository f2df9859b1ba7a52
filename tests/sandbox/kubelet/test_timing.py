"""Back-off, probe counting and probe timing, with the clock as an argument."""

import json
from datetime import datetime

import pytest

from rescue.sandbox.kubelet.backoff import Backoff
from rescue.sandbox.kubelet.probes import Counter, Settings, first_wait, settings
from tests.sandbox.kubelet import recorded


def test_delays_double_up_to_the_maximum() -> None:
    backoff, now, seen = Backoff(), 1000.0, []
    for _ in range(5):
        seen.append(backoff.remaining("a", now, now))
        backoff.next("a", now, now)
        now += 60.0
    assert seen == [0.0, 10.0, 20.0, 30.0, 30.0]


def test_a_long_run_starts_over() -> None:
    backoff = Backoff()
    backoff.next("a", 0.0, 0.0)
    backoff.next("a", 20.0, 20.0)
    assert backoff.remaining("a", 700.0, 700.0) == 0.0
    backoff.next("a", 700.0, 700.0)
    assert backoff.delay("a") == 10


@pytest.mark.parametrize("name", ["exit-zero", "segv", "db-0", "oom", "readonly"])
def test_no_recorded_restart_comes_before_its_delay(name: str) -> None:
    backoff, restarts = Backoff(), 0
    for end, start in _restarts(name):
        # The recording has whole seconds.
        assert backoff.remaining(name, end, start + 1) == 0.0
        backoff.next(name, end, start)
        restarts += 1
    assert restarts >= 4


@pytest.mark.parametrize("name", ["exit-zero", "segv", "db-0", "oom", "readonly", "no-command", "init-crash"])
def test_the_delays_shown_are_the_recorded_ones(name: str) -> None:
    text = json.dumps(recorded.pod(name)["statuses"])
    backoff = Backoff()
    for seconds in (10, 20, 30):
        backoff.next(name, 0.0, 0.0)
        assert f"back-off {backoff.delay(name)}s restarting" in text
        assert backoff.delay(name) == seconds


def test_a_verdict_needs_its_threshold_in_a_row() -> None:
    counter = Counter(success_threshold=2, failure_threshold=3)
    results = [False, False, True, False, False, False, False, True, True]
    assert [counter.count(result) for result in results] == [
        None, None, None, None, None, False, False, None, True
    ]  # fmt: skip


def test_a_probe_has_the_apis_defaults() -> None:
    assert settings({"tcpSocket": {"port": 1}}) == Settings(0, 10, 1, 1, 3)


@pytest.mark.parametrize(
    ("delay", "age", "at_once", "expected"),
    [(0, 2.5, False, 7.5), (0, 12.0, False, 8.0), (15, 2.0, False, 18.0), (0, 2.0, True, 0.0), (5, 2.0, True, 8.0)],
)
def test_the_first_probe_comes_with_the_pods_ticker(delay: float, age: float, at_once: bool, expected: float) -> None:
    assert first_wait(Settings(delay, 10, 1, 1, 3), age, at_once=at_once) == expected


def _restarts(name: str) -> list[tuple[float, float]]:
    """(end of a run, start of the next) in seconds, as recorded."""
    found = {}
    for entry in recorded.pod(name)["statuses"]:
        for status in entry["status"].get("containerStatuses", []):
            running, last = status["state"].get("running"), status["lastState"].get("terminated")
            if running and last:
                found[status["restartCount"]] = (_seconds(last["finishedAt"]), _seconds(running["startedAt"]))
    return [found[count] for count in sorted(found)]


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
