"""The worst pod of several is found as the worst container of one is."""

import copy
from typing import Any

from rescue.model import Target
from rescue.worst import worst_first

from .recorded import recorded


def pod(name: str, recording: str, created: str = "2026-01-01T00:00:00Z", **status: Any) -> Any:
    """A recorded pod under another name; ``status`` changes its first container's."""
    made = copy.deepcopy(recorded(recording)["last"])
    made["metadata"].update(name=name, creationTimestamp=created)
    if status:
        made["status"]["containerStatuses"][0].update(status)
    return made


BACK_OFF: Any = {"waiting": {"reason": "CrashLoopBackOff"}}
LAST: Any = {"terminated": {"exitCode": 3, "reason": "Error"}}
EVICTED: Any = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}


def crashing(name: str, restarts: int, created: str = "2026-01-01T00:00:00Z") -> Any:
    return pod(name, "segv", created, state=BACK_OFF, lastState=LAST, restartCount=restarts)


def evicted(name: str) -> Any:
    return {**pod(name, "segv"), "status": EVICTED}


def order(*pods: Any, container: str | None = None) -> list[str]:
    return [item["metadata"]["name"] for item, _ in worst_first(pods, container)]


def test_more_restarts_are_worse() -> None:
    assert order(crashing("a", 2), crashing("b", 5), crashing("c", 3)) == ["b", "c", "a"]


def test_a_crash_loop_is_worse_than_a_restart_and_that_than_running() -> None:
    restarted = pod("restarted", "segv", state={"running": {}}, lastState=LAST, restartCount=9)
    assert order(pod("healthy", "agent-cms5z"), restarted, crashing("loop", 1)) == ["loop", "restarted", "healthy"]


def test_a_bad_exit_is_worse_than_a_good_one() -> None:
    ended_well = pod("well", "segv", state=BACK_OFF, lastState={"terminated": {"exitCode": 0}}, restartCount=9)
    assert order(ended_well, crashing("badly", 1)) == ["badly", "well"]


def test_among_equals_the_newest_comes_first() -> None:
    old, new = crashing("old", 2, "2026-01-01T00:00:00Z"), crashing("new", 2, "2026-01-02T00:00:00Z")
    assert order(old, new) == order(new, old) == ["new", "old"]


def test_a_pod_that_is_being_deleted_comes_after_those_that_stay() -> None:
    leaving = crashing("leaving", 9)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:01:00Z"
    assert order(pod("healthy", "agent-cms5z"), leaving, crashing("stays", 1)) == ["stays", "leaving", "healthy"]


def test_what_cannot_be_rescued_comes_last_and_what_has_ended_after_all() -> None:
    pods = [evicted("evicted"), pod("healthy", "agent-cms5z"), pod("pending", "unschedulable"), crashing("loop", 1)]
    assert order(*pods) == ["loop", "pending", "healthy", "evicted"]
    judged = worst_first(pods, None)
    assert [isinstance(target, Target) for _, target in judged] == [True, False, False, False]
    assert [str(error).split()[-1] for _, error in judged[-1:]] == ["memory."]


def with_second(made: Any, restarts: int) -> Any:
    """The pod with one more container, ``second``."""
    made["spec"]["containers"].append({"name": "second", "image": "second:1"})
    entry = {"name": "second", "restartCount": restarts, "state": BACK_OFF, "lastState": LAST}
    made["status"]["containerStatuses"].append(entry)
    return made


def test_only_the_named_container_counts() -> None:
    a, b = with_second(crashing("a", 9), 1), with_second(crashing("b", 1), 5)
    assert order(a, b) == ["a", "b"]
    assert order(a, b, container="second") == ["b", "a"]


def test_a_container_that_no_pod_has_is_an_error_of_each() -> None:
    assert [str(error) for _, error in worst_first([crashing("a", 1)], "nope")] == ["pod 'a' has no container 'nope'"]
