"""What does not fit is refused before a scout is created, and the times of every pod begin when it is made."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rescue import entrypoint, flow, planning, scout
from rescue.console import Console
from rescue.errors import ExitCode, RescueError
from rescue.kube.errors import ClusterError
from rescue.model import Command, JsonObject
from rescue.options import Options, Wishes
from rescue.source import Source
from rescue.triage import offline_target

POD: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
    "spec": {"containers": [{"name": "web", "image": "shop:1"}]},
}
TARGET = offline_target(POD, None)
EXPIRES = "rescue.dev/expires"


class Cluster:
    """Nothing is in it; ``denied``: what its reviews do not allow, as in ``get pods log``."""

    context, namespace = "here", "shop"

    def __init__(self, *denied: str) -> None:
        self.denied = denied

    def list(self, *_place: str) -> list[Any]:
        return []

    def create(self, resource: str, _namespace: str, review: Any) -> Any:
        assert resource == "selfsubjectaccessreviews"
        wanted = review["spec"]["resourceAttributes"]
        asked = " ".join(filter(None, (wanted["verb"], wanted["resource"], wanted["subresource"])))
        return {"status": {"allowed": asked not in self.denied}}


class Clock(datetime):
    """The time in seconds since 2026 began."""

    seconds = 0

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime(2026, 1, 1, tzinfo=tz or UTC).replace(minute=cls.seconds // 60, second=cls.seconds % 60)


@pytest.fixture
def scouts(monkeypatch: pytest.MonkeyPatch) -> list[JsonObject]:
    """The manifests of two scouts, each of which takes two minutes; no registry answers."""
    made: list[JsonObject] = []

    def observe(_cluster: Any, manifest: Callable[[], JsonObject], *_rest: Any) -> Command:
        for seconds in (0, 120):
            monkeypatch.setattr(Clock, "seconds", seconds)
            made.append(manifest())
        monkeypatch.setattr(Clock, "seconds", 240)
        return Command(("/seen",), "scout")

    def from_registry(*_arguments: Any) -> Command:
        raise RescueError("the registry does not answer")

    monkeypatch.setattr(scout, "observe", observe)
    monkeypatch.setattr(entrypoint, "from_registry", from_registry)
    monkeypatch.setattr(planning, "datetime", Clock)
    return made


def plan_on(cluster: Any, options: Options) -> Any:
    return planning.plan_on(cluster, POD, TARGET, options, Console(quiet=True))


def test_every_pod_expires_so_long_after_it_was_made_as_its_deadline_says(scouts: list[JsonObject]) -> None:
    clone = plan_on(Cluster(), Options(ttl=60)).clone
    pods = [*scouts, clone]
    assert [pod["metadata"]["annotations"][EXPIRES] for pod in pods] == [
        "2026-01-01T00:02:00Z",
        "2026-01-01T00:04:00Z",
        "2026-01-01T00:05:00Z",
    ]
    assert [pod["spec"]["activeDeadlineSeconds"] for pod in pods] == [120, 120, 60]
    assert len({pod["metadata"]["name"] for pod in pods}) == 3


@pytest.mark.parametrize(
    ("wishes", "words"),
    [(Wishes(unset=("NOT_THERE",)), "has no 'NOT_THERE'"), (Wishes(without=("nobody",)), "no container 'nobody'")],
)
def test_a_wish_that_does_not_fit_is_wrong_usage_before_a_scout_runs(
    scouts: list[JsonObject], wishes: Wishes, words: str
) -> None:
    with pytest.raises(RescueError, match=words) as refused:
        plan_on(Cluster(), Options(wishes=wishes))
    assert (refused.value.code, scouts) == (ExitCode.USAGE, [])


def test_without_the_right_to_read_logs_no_scout_runs(scouts: list[JsonObject]) -> None:
    with pytest.raises(RescueError, match="scout: you may not get pods/log") as refused:
        plan_on(Cluster("get pods log"), Options())
    assert (refused.value.code, scouts) == (ExitCode.REFUSED, [])


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pod is in a cluster."""
    cluster = Cluster()
    monkeypatch.setattr(flow, "connect", lambda *_: cluster)
    monkeypatch.setattr(flow, "find", lambda *_: Source(POD, True))
    monkeypatch.setattr(flow, "target_of", lambda *_: TARGET)


@pytest.mark.usefixtures("found")
def test_a_case_folder_that_is_taken_is_refused_before_a_scout_runs(scouts: list[JsonObject], tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(RescueError, match="is not empty") as refused:
        flow.rescue_pod(Options(pod="web", case=tmp_path), Console(quiet=True))
    assert (refused.value.code, scouts) == (ExitCode.USAGE, [])


@pytest.mark.usefixtures("found", "scouts")
@pytest.mark.parametrize("trouble", [RescueError("refused"), ClusterError("gone", "", 0), KeyboardInterrupt()])
def test_where_no_command_is_found_the_case_folder_can_be_named_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trouble: BaseException
) -> None:
    def fail(*_arguments: Any) -> None:
        raise trouble

    monkeypatch.setattr(flow, "plan_on", fail)
    with pytest.raises(type(trouble)):
        flow.rescue_pod(Options(pod="web", case=tmp_path / "cases" / "case"), Console(quiet=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("found")
def test_times_that_do_not_agree_are_refused_first(scouts: list[JsonObject]) -> None:
    with pytest.raises(RescueError, match="--seconds 7200 and --wait 120 do not fit into --ttl 3600"):
        flow.rescue_pod(Options(pod="web", seconds=7200), Console(quiet=True))
    assert scouts == []
