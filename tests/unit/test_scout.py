"""A scout is a clone that starts its target as it is; it is watched until its lines prove the command, then deleted."""

import io
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from rescue import clone, scout
from rescue.clone import Clone
from rescue.console import Console
from rescue.errors import ExitCode, RescueError
from rescue.kube.errors import ClusterError
from rescue.model import Target
from rescue.options import Wishes
from rescue.placeholders import Choices
from rescue.resources import data_dir
from rescue.rulebook import load_rules
from rescue.triage import offline_target
from tests.unit.test_sighting import ENTRY, SERVER, started

CHOICES = Choices("x2b4c", "2026-01-01T00:00:00Z", "kim@host", "busybox:1.37.0-musl", 3600, frozenset({"app"}))
MANIFEST: dict[str, Any] = {"metadata": {"name": "rescue-web-x2b4c"}}
EXACT, VAGUE = started(7, ENTRY, SERVER), started(7, ENTRY, gap=900)


def pod() -> dict[str, Any]:
    """A pod with everything that must not go into a scout."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "shop", "labels": {"app": "web"}, "ownerReferences": [{"uid": "1"}]},
        "spec": {
            "hostPID": True,
            "restartPolicy": "Never",
            "initContainers": [
                {"name": "prepare", "image": "i"},
                {"name": "proxy", "image": "p", "restartPolicy": "Always"},
            ],
            "containers": [
                {"name": "log", "image": "log:1"},
                {
                    "name": "web",
                    "image": "shop:1",
                    "args": ["--port", "$(PORT)"],
                    "env": [{"name": "PORT", "value": "80"}],
                    "livenessProbe": {"exec": {"command": ["true"]}},
                    "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
                    "resources": {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                },
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}],
        },
    }  # fmt: skip


def target() -> Target:
    return offline_target(pod(), "web")


def manifest(choices: Choices = CHOICES) -> dict[str, Any]:
    return scout.scout_manifest(pod(), target(), load_rules((), ()), choices)


def test_a_scout_is_the_observer_and_the_target_as_it_is_but_slow() -> None:
    spec = manifest()["spec"]
    observer, web = spec["containers"]
    assert (observer["name"], observer["image"]) == ("rescue-observer", "busybox:1.37.0-musl")
    assert web == {
        "name": "web",
        "image": "shop:1",
        "args": ["--port", "$(PORT)"],
        "env": [{"name": "PORT", "value": "80"}],
        "resources": {"requests": {"cpu": "10m", "memory": "1Gi"}, "limits": {"memory": "1Gi", "cpu": "10m"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    assert not spec.get("initContainers")
    assert (spec["shareProcessNamespace"], spec.get("hostPID")) == (True, None)


def test_a_scout_is_as_safe_as_a_clone_and_shorter_lived() -> None:
    made = manifest()
    assert made["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "rescue"
    assert "app" not in made["metadata"]["labels"]
    assert "ownerReferences" not in made["metadata"]
    spec = made["spec"]
    assert spec["volumes"] == [{"name": "data", "emptyDir": {}}]
    assert spec["readinessGates"] == [{"conditionType": "rescue.dev/never"}]
    assert (spec["activeDeadlineSeconds"], spec["restartPolicy"]) == (120, "Always")


@pytest.mark.parametrize("mode", ["clone", "keep", "read-only"])
def test_a_scout_never_touches_a_claim(mode: str) -> None:
    made = manifest(replace(CHOICES, wishes=Wishes(claims=(("data-0", mode),))))
    assert made["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]


def test_an_init_container_is_seen_to_start_alone() -> None:
    init = replace(target(), container="prepare", is_init=True)
    spec = scout.scout_manifest(pod(), init, load_rules((), ()), CHOICES)["spec"]
    assert [container["name"] for container in spec["containers"]] == ["rescue-observer", "prepare"]
    assert not spec.get("initContainers")


def test_the_observers_script_arrives_as_it_was_written() -> None:
    script = manifest()["spec"]["containers"][0]["command"][-1]
    written = (data_dir("hunter_agent") / "scout").read_text(encoding="utf-8")
    assert "$" not in script.replace("$$", ""), "Kubernetes finds nothing to expand"
    assert script.replace("$$", "$") == written


class Cluster:
    """One scout after the other; what each observer's log holds at each look, the last one again and again."""

    def __init__(self, *logs: str | ClusterError, status: Any = None) -> None:
        self.logs_left = list(logs)
        self.status = status or {"containerStatuses": [{"name": "web", "state": {"running": {}}}]}

    def get(self, *_place: str) -> Any:
        spec = {"containers": [{"name": "rescue-observer"}, {"name": "web"}]}
        return {**MANIFEST, "spec": spec, "status": self.status}

    def logs(self, _namespace: str, _pod: str, container: str, previous: bool, _tail: int) -> str:
        assert (container, previous) == ("rescue-observer", False)
        log = self.logs_left.pop(0) if len(self.logs_left) > 1 else self.logs_left[0]
        if isinstance(log, ClusterError):
            raise log
        return log


@pytest.fixture
def fate() -> list[str]:
    """What becomes of a scout, and what there is to say of it."""
    return ["deleted", ""]


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch, fate: list[str]) -> list[str]:
    """What became of each scout; a second passes with every look at the clock."""
    ended: list[str] = []
    clock = itertools.count()

    @contextmanager
    def living(_cluster: Any, namespace: str, made: Any, keep: bool, told: Any) -> Iterator[Clone]:
        assert not keep
        one = Clone(namespace, made["metadata"]["name"], "uid", "1")
        try:
            yield one
        finally:
            ended.append(fate[0])
            told(one, *fate)

    monkeypatch.setattr(clone, "living", living)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    return ended


def observe(cluster: Any, wait: float = 120.0) -> tuple[str, ...]:
    return scout.observe(cluster, lambda: MANIFEST, target(), wait, Console(quiet=True)).argv


def test_each_scout_is_a_pod_of_its_own(lives: list[str]) -> None:
    numbers = itertools.count()
    said = io.StringIO()
    cluster: Any = Cluster(*[VAGUE] * 3, EXACT)
    scout.observe(cluster, lambda: {"metadata": {"name": f"rescue-{next(numbers)}"}}, target(), 9, Console(said))
    assert ("scout rescue-0 deleted" in said.getvalue(), "scout rescue-1 deleted" in said.getvalue()) == (True, True)
    assert lives == ["deleted", "deleted"]


@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.usefixtures("lives")
def test_a_scout_that_is_left_is_warned_of_with_the_command_also_when_quiet(quiet: bool, fate: list[str]) -> None:
    fate[:] = ["not deleted", "forbidden; kubectl delete pod rescue-web-x2b4c -n shop"]
    said = io.StringIO()
    cluster: Any = Cluster(EXACT)
    scout.observe(cluster, lambda: MANIFEST, target(), 9, Console(said, quiet))
    last = said.getvalue().splitlines()[-1]
    assert last == "warning: scout rescue-web-x2b4c not deleted: forbidden; kubectl delete pod rescue-web-x2b4c -n shop"


def test_the_proven_command_is_given_and_the_scout_is_gone(lives: list[str]) -> None:
    assert observe(Cluster("", EXACT)) == ("/bin/sh", "/entry.sh")
    assert lives == ["deleted"]


def test_the_observer_that_has_not_started_is_waited_for(lives: list[str]) -> None:
    creating = ClusterError("container is waiting to start: ContainerCreating", "", 400)
    assert observe(Cluster(creating, creating, "rescue-scout 1\n", EXACT)) == ("/bin/sh", "/entry.sh")
    assert lives == ["deleted"]


def test_a_second_start_in_the_same_scout_is_waited_for(lives: list[str]) -> None:
    logs = [VAGUE, VAGUE + started(9, ENTRY)]
    assert observe(Cluster(*logs)) == ("/bin/sh", "/entry.sh")
    assert lives == ["deleted"]


def test_a_program_that_runs_on_is_started_again_in_another_scout(lives: list[str]) -> None:
    assert observe(Cluster(*[VAGUE] * 3, EXACT)) == ("/bin/sh", "/entry.sh")
    assert lives == ["deleted", "deleted"]


def test_a_new_scout_is_faster_than_the_back_off(lives: list[str]) -> None:
    crashing = {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
    assert observe(Cluster(VAGUE, EXACT, status=crashing)) == ("/bin/sh", "/entry.sh")
    assert lives == ["deleted", "deleted"]


def test_after_some_scouts_without_a_proof_it_is_not_known(lives: list[str]) -> None:
    with pytest.raises(RescueError) as refused:
        observe(Cluster(started(7, None, SERVER)))
    assert refused.value.code is ExitCode.REFUSED
    assert "its program ended each time before it could be read" in refused.value.message
    assert lives == ["deleted"] * scout.SCOUTS


def test_a_program_that_is_not_in_the_image_is_not_tried_again(lives: list[str]) -> None:
    ended = {"terminated": {"reason": "StartError", "message": 'exec: "/x": no such file'}}
    entry = {"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended}
    with pytest.raises(RescueError, match="no such file"):
        observe(Cluster("start 7\ndone 7\n", status={"containerStatuses": [entry]}))
    assert lives == ["deleted"]


def test_what_keeps_the_scout_from_starting_is_said(lives: list[str]) -> None:
    unschedulable = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
    with pytest.raises(RescueError, match="not scheduled: 0/3 nodes are available"):
        observe(Cluster("", status={"conditions": [unschedulable]}), 20)
    assert lives == ["deleted"]


def test_an_image_that_cannot_be_pulled_is_not_waited_for(lives: list[str]) -> None:
    entry = {"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    with pytest.raises(RescueError, match="web: ImagePullBackOff: no such image"):
        observe(Cluster("", status={"containerStatuses": [entry]}), 1000)
    assert lives == ["deleted"]


def test_a_refusal_to_read_the_log_is_raised(lives: list[str]) -> None:
    with pytest.raises(ClusterError, match="cannot get pods/log"):
        observe(Cluster(ClusterError("cannot get pods/log", "", 403)))
    assert lives == ["deleted"]


def test_what_is_seen_is_spelt_for_kubernetes() -> None:
    assert scout.command((b"/bin/sh", b"-c", b"exec $APP $$", "Á".encode()), "", "web").argv == (
        "/bin/sh", "-c", "exec $$APP $$$$", "Á",
    )  # fmt: skip


def test_a_command_that_no_manifest_can_hold_is_refused() -> None:
    with pytest.raises(RescueError, match=r"not UTF-8, so no manifest can hold it: /app \\xff"):
        scout.command((b"/app", b"\xff"), "", "web")
