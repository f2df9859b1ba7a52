"""A clone is made only after a dry-run, and deleted whatever happens in between."""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from rescue.clone import DELETE_SECONDS, Clone, create, delete, living
from rescue.errors import ExitCode, RescueError
from rescue.kube.errors import ClusterError
from rescue.starting import wait_until_held

MANIFEST = {"metadata": {"name": "rescue-web-x2b4c", "namespace": "shop"}}
CLONE = Clone("shop", "rescue-web-x2b4c", "uid-1", "7")
OUTAGE = ClusterError("the API server does not answer", "is it up?", 0)
ABSENT = ClusterError("not found", "", 404)
RUNNING: Any = {"running": {}}


class Cluster:
    """A namespace with at most one pod; ``failing`` names the errors that the next calls of a verb raise."""

    def __init__(self, **failing: list[ClusterError | None]) -> None:
        self.failing = failing
        self.pods: dict[str, Any] = {}
        self.calls: list[str] = []
        self.states: list[Any] = []
        self.events: list[Any] = []

    def _call(self, verb: str) -> None:
        self.calls.append(verb)
        queue = self.failing.get(verb, [])
        error = queue.pop(0) if queue else None
        if error:
            raise error

    def create(self, _resource: str, _namespace: str, manifest: Any, dry_run: bool = False) -> Any:
        self._call("dry_run" if dry_run else "create")
        made = {"metadata": {**manifest["metadata"], "uid": "uid-1", "resourceVersion": "7"}, "spec": {}, "status": {}}
        if not dry_run:
            self.pods[manifest["metadata"]["name"]] = made
        return made

    def get(self, _resource: str, _namespace: str, name: str) -> Any:
        self._call("get")
        if name not in self.pods:
            raise ClusterError("not found", "", 404)
        return self.pods[name]

    def delete(self, _resource: str, _namespace: str, name: str, uid: str) -> None:
        self._call("delete")
        assert uid == "uid-1"
        if self.pods.pop(name, None) is None:
            raise ClusterError("not found", "", 404)

    def list(self, resource: str, _namespace: str, fieldSelector: str) -> list[Any]:  # noqa: N803  # as in the API
        assert (resource, fieldSelector) == ("events", "involvedObject.uid=uid-1,type=Warning")
        return self.events

    def watch(self, *_arguments: Any) -> Any:
        self._call("watch")
        for status in self.states:
            self.pods[CLONE.name]["status"] = status
            yield {"type": "MODIFIED", "object": self.pods[CLONE.name]}


class Clock:
    """A second passes when somebody looks; more in sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def look(self) -> float:
        self.now += 1
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock.look)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


def test_a_refused_dry_run_creates_nothing() -> None:
    cluster: Any = Cluster(dry_run=[ClusterError("exceeded quota: q", "ask for more", 403)])
    with pytest.raises(ClusterError, match="so it was not created: exceeded quota: q"):
        create(cluster, "shop", MANIFEST)
    assert cluster.calls == ["dry_run"]


@pytest.mark.parametrize("status", [0, 500, 502, 503, 504])
def test_a_clone_whose_creation_was_not_confirmed_is_looked_for_and_deleted(status: int) -> None:
    cluster: Any = Cluster(create=[ClusterError("no good answer", "", status)], get=[OUTAGE, OUTAGE])
    cluster.pods["rescue-web-x2b4c"] = {"metadata": {**MANIFEST["metadata"], "uid": "uid-1", "resourceVersion": "7"}}
    with pytest.raises(ClusterError, match="no good answer"):
        create(cluster, "shop", MANIFEST)
    assert cluster.pods == {}


def test_a_refused_creation_leaves_nothing_to_look_for() -> None:
    cluster: Any = Cluster(create=[ClusterError("exceeded quota: q", "", 403)])
    with pytest.raises(ClusterError, match="exceeded quota"):
        create(cluster, "shop", MANIFEST)
    assert cluster.calls == ["dry_run", "create"]


@pytest.mark.parametrize("answer", [OUTAGE, ABSENT], ids=["outage", "absent"])
def test_a_clone_that_may_exist_all_the_same_is_named(answer: ClusterError) -> None:
    cluster: Any = Cluster(create=[OUTAGE], get=[answer] * 100)
    with pytest.raises(RescueError, match="the API server does not answer; the clone may exist") as lost:
        create(cluster, "shop", MANIFEST)
    assert "kubectl delete pod rescue-web-x2b4c -n shop" in lost.value.hint
    assert lost.value.code is ExitCode.CLUSTER


def test_a_clone_that_is_stored_after_the_first_look_is_deleted() -> None:
    cluster: Any = Cluster(create=[OUTAGE], get=[ABSENT, OUTAGE, ABSENT])
    cluster.pods["rescue-web-x2b4c"] = {"metadata": {**MANIFEST["metadata"], "uid": "uid-1", "resourceVersion": "7"}}
    with pytest.raises(ClusterError, match="does not answer"):
        create(cluster, "shop", MANIFEST)
    assert cluster.pods == {}


class Told:
    """Keeps what ``living`` tells of a clone's end."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __call__(self, clone: Clone, state: str, detail: str) -> None:
        assert clone == CLONE
        self.said.append((state, detail))


@pytest.mark.parametrize("trouble", [RescueError("any"), KeyboardInterrupt(), ValueError("a bug")])
def test_the_clone_goes_whatever_happens(trouble: BaseException) -> None:
    cluster: Any = Cluster()
    told = Told()
    with pytest.raises(type(trouble)), living(cluster, "shop", MANIFEST, False, told) as clone:
        assert clone == CLONE
        raise trouble
    assert cluster.pods == {}
    assert told.said == [("deleted", "")]


def test_an_interrupt_at_the_very_begin_of_the_clean_up_does_not_prevent_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster: Any = Cluster()
    told = Told()
    with pytest.raises(KeyboardInterrupt), living(cluster, "shop", MANIFEST, False, told):
        monkeypatch.setattr("rescue.clone.deferred", InterruptedOnce())
    assert cluster.pods == {}
    assert told.said == [("deleted", "")]


class InterruptedOnce:
    """Stands for ``deferred``: the first time, the signal is faster."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self) -> AbstractContextManager[None]:
        self._calls += 1
        if self._calls == 1:
            raise KeyboardInterrupt
        return nullcontext()


def test_a_kept_clone_stays_and_the_command_to_delete_it_is_told() -> None:
    cluster: Any = Cluster()
    told = Told()
    with living(cluster, "shop", MANIFEST, True, told):
        pass
    assert list(cluster.pods) == ["rescue-web-x2b4c"]
    assert told.said == [("kept", "kubectl delete pod rescue-web-x2b4c -n shop")]


def test_a_deletion_that_fails_does_not_hide_how_the_block_ended() -> None:
    cluster: Any = Cluster(delete=[ClusterError("forbidden", "", 403)])
    told = Told()
    with pytest.raises(ValueError, match="the real trouble"), living(cluster, "shop", MANIFEST, False, told):
        raise ValueError("the real trouble")
    [(state, detail)] = told.said
    assert state == "not deleted"
    assert "kubectl delete pod rescue-web-x2b4c -n shop" in detail


def test_an_outage_at_deletion_is_sat_out() -> None:
    cluster: Any = Cluster(delete=[OUTAGE, OUTAGE, OUTAGE])
    create(cluster, "shop", MANIFEST)
    delete(cluster, CLONE)
    assert cluster.pods == {}


@pytest.mark.parametrize("error", [OUTAGE, ClusterError("forbidden", "", 403)], ids=["outage", "forbidden"])
def test_a_clone_that_cannot_be_deleted_is_named_with_the_command_to_type(error: ClusterError, clock: Clock) -> None:
    cluster: Any = Cluster(delete=[error] * 100)
    create(cluster, "shop", MANIFEST)
    with pytest.raises(RescueError, match=r"pod rescue-web-x2b4c was not deleted") as refused:
        delete(cluster, CLONE)
    assert refused.value.hint.startswith("kubectl delete pod rescue-web-x2b4c -n shop")
    assert (clock.now > DELETE_SECONDS) is (error.status == 0)
    assert "ends by itself" not in refused.value.hint, "a pod that no node took has no deadline yet, and none goes"


def test_a_slow_kubelet_is_given_a_moment() -> None:
    cluster: Any = Cluster()
    create(cluster, "shop", MANIFEST)
    cluster.states = [waiting("CreateContainerConfigError"), HELD]
    wait_until_held(cluster, CLONE, "web", 60, lambda _text: None)


def test_what_no_time_heals_ends_the_wait_at_once() -> None:
    cluster: Any = Cluster()
    create(cluster, "shop", MANIFEST)
    cluster.states = [waiting("InvalidImageName"), HELD]
    with pytest.raises(RescueError, match="does not start"):
        wait_until_held(cluster, CLONE, "web", 60, lambda _text: None)


@pytest.mark.parametrize("status", [404, 409])
def test_a_clone_that_is_gone_already_or_another_pod_of_its_name_is_left_alone(status: int) -> None:
    cluster: Any = Cluster(delete=[ClusterError("gone", "", status)])
    delete(cluster, CLONE)
    assert cluster.calls == ["delete"]


def waiting(reason: str) -> Any:
    entry = {"name": "web", "state": {"waiting": {"reason": reason, "message": "because"}}}
    return {"phase": "Pending", "containerStatuses": [entry]}


HELD = {"containerStatuses": [{"name": "web", "state": RUNNING}, {"name": "rescue-keeper", "state": RUNNING}]}


def test_every_reason_to_wait_is_said_once() -> None:
    cluster: Any = Cluster()
    create(cluster, "shop", MANIFEST)
    cluster.states = [waiting("ErrImagePull"), waiting("ErrImagePull"), waiting("ContainerCreating"), HELD]
    said: list[str] = []
    wait_until_held(cluster, CLONE, "web", 60, said.append)
    assert said == ["waiting: web: ErrImagePull: because", "waiting: web: ContainerCreating: because"]


def test_an_outage_while_the_clone_starts_is_sat_out() -> None:
    cluster: Any = Cluster(watch=[OUTAGE], get=[None, OUTAGE, OUTAGE])
    create(cluster, "shop", MANIFEST)
    cluster.states = [HELD]
    wait_until_held(cluster, CLONE, "web", 60, lambda _: None)
    assert cluster.calls[-5:] == ["watch", "get", "get", "get", "watch"]


def test_a_clone_that_somebody_deletes_while_it_starts_is_said() -> None:
    cluster: Any = Cluster()
    with pytest.raises(RescueError, match="somebody deleted the clone rescue-web-x2b4c") as refused:
        wait_until_held(cluster, CLONE, "web", 60, lambda _: None)
    assert refused.value.code is ExitCode.CLUSTER


def test_what_only_an_event_tells_is_said_too() -> None:
    cluster: Any = Cluster()
    create(cluster, "shop", MANIFEST)
    cluster.states = [waiting("ContainerCreating"), HELD]
    cluster.events = [
        {"reason": "FailedMount", "message": 'configmap "x" not found'},
        {"reason": "Failed", "message": "the status tells this"},
    ]
    said: list[str] = []
    wait_until_held(cluster, CLONE, "web", 60, said.append)
    assert 'waiting: FailedMount: configmap "x" not found' in said
    assert not any("the status tells" in text for text in said)


def test_waiting_has_an_end() -> None:
    cluster: Any = Cluster()
    create(cluster, "shop", MANIFEST)
    cluster.states = [waiting("ContainerCreating")]
    with pytest.raises(RescueError, match="did not start within 0 s") as refused:
        wait_until_held(cluster, CLONE, "web", 0.01, lambda _text: None)
    assert refused.value.code is ExitCode.CLUSTER
