"""The failing container is found by itself in every kind of trouble that a real cluster showed."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from rescue import labels
from rescue.errors import ExitCode, RescueError
from rescue.model import Owner
from rescue.triage import choose_target, offline_target
from rescue.workloads import controller_of

from .recorded import names, recorded

FAILING = {
    # pod: container, init, state, reason, exit code
    "db-0": ("a", False, "Error", 5),
    "exit-zero": ("a", False, "Completed", 0),
    "init-crash": ("migrate", True, "Error", 7),
    "liveness": ("slow", False, "Error", 137),
    "no-command": ("a", False, "StartError", 128),
    "oom": ("eater", False, "OOMKilled", 137),
    "poststart": ("a", False, "Error", 137),
    "readonly": ("a", False, "Error", 1),
    "report-5gpsf": ("a", False, "Error", 9),
    "report-7pdzf": ("a", False, "Error", 9),
    "report-8grfs": ("a", False, "Error", 9),
    "segv": ("a", False, "Error", 1),
    "selfterm": ("a", False, "Completed", 0),
    "shop-fc47bf8bc-lnzmb": ("shop", False, "Error", 3),
    "sidecar": ("a", False, "Error", 4),
    "startup": ("a", False, "Error", 137),
}
NEVER_STARTED = {
    "config-error": "CreateContainerConfigError",
    "image-pull": "ErrImagePull",
    "nonroot": "CreateContainerConfigError",
}
REFUSED = {
    "agent-cms5z": "does not fail: a is running",
    "child-oom": "does not fail: a is running",
    "deadline": "reached its activeDeadlineSeconds: Pod was active on the node longer than the specified deadline",
    "gate": "does not fail: a is running",
    "unschedulable": "was never scheduled: 0/1 nodes are available: 1 Insufficient cpu",
}


def test_every_recorded_pod_is_judged() -> None:
    assert sorted([*FAILING, *NEVER_STARTED, *REFUSED]) == names()


@pytest.mark.parametrize("name", FAILING)
def test_the_failing_container_is_found(name: str) -> None:
    target = choose_target(recorded(name)["last"], None, None)
    assert (target.container, target.is_init, target.reason, target.exit_code) == FAILING[name]
    assert target.choice == "the only failing container"


@pytest.mark.parametrize("name", NEVER_STARTED)
def test_a_container_that_never_started_is_a_target_without_an_end(name: str) -> None:
    target = choose_target(recorded(name)["last"], None, None)
    assert (target.state, target.reason) == ("never started", NEVER_STARTED[name])
    assert (target.exit_code, target.lifetime) == (None, None)


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_replay_explains_is_refused(name: str) -> None:
    with pytest.raises(RescueError, match=REFUSED[name]) as refused:
        choose_target(recorded(name)["last"], None, None)
    assert refused.value.code is ExitCode.REFUSED
    assert refused.value.hint


def test_a_command_that_cannot_be_executed_fails_from_the_first_moment() -> None:
    pod = copy.deepcopy(recorded("no-command")["last"])
    [entry] = pod["status"]["containerStatuses"]
    entry.update(state={"waiting": {"reason": "RunContainerError", "message": "no such file"}}, lastState={})
    assert choose_target(pod, None, None).reason == "RunContainerError"


def test_the_lifetime_is_that_of_the_last_run_and_unknown_for_one_that_never_ran() -> None:
    assert choose_target(recorded("liveness")["last"], None, None).lifetime == 6
    assert choose_target(recorded("no-command")["last"], None, None).lifetime is None


def _with_second(**status: Any) -> Any:
    pod = copy.deepcopy(recorded("shop-fc47bf8bc-lnzmb")["last"])
    pod["spec"]["containers"].append({"name": "second", "image": "second:1"})
    entry = {"name": "second", "restartCount": 0, "state": {"running": {}}, "lastState": {}, **status}
    pod["status"]["containerStatuses"].append(entry)
    return pod


def test_of_several_the_worst_is_chosen_and_said() -> None:
    back_off = {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": 9, "reason": "Error"}}
    target = choose_target(_with_second(state=back_off, lastState=last, restartCount=1), None, None)
    assert (target.container, target.exit_code, target.image) == ("second", 9, "second:1")
    assert "worst of 2 failing containers (also: shop" in target.choice


def test_a_container_can_be_named() -> None:
    pod = _with_second()
    assert choose_target(pod, "shop", None).choice == "named by -c"
    with pytest.raises(RescueError, match=r"container 'second' of pod .* does not fail") as refused:
        choose_target(pod, "second", None)
    assert refused.value.code is ExitCode.REFUSED
    with pytest.raises(RescueError, match="has no container 'nope'") as unknown:
        choose_target(pod, "nope", None)
    assert (unknown.value.code, unknown.value.hint) == (ExitCode.USAGE, "it has: shop, second")


def test_an_init_container_that_failed_and_then_succeeded_does_not_fail() -> None:
    pod = copy.deepcopy(recorded("gate")["last"])
    pod["spec"]["initContainers"] = [{"name": "wait", "image": "i"}]
    done = {"name": "wait", "restartCount": 3, "state": {"terminated": {"exitCode": 0}}, "lastState": {}}
    pod["status"]["initContainerStatuses"] = [done]
    with pytest.raises(RescueError, match="does not fail"):
        choose_target(pod, None, None)


def test_a_manifest_without_status_takes_its_first_container() -> None:
    pod = recorded("init-crash")["first"]
    assert offline_target(pod, None).container == "app"
    assert offline_target(pod, "migrate").is_init


def test_a_manifest_may_name_its_default_container() -> None:
    pod = copy.deepcopy(_with_second())
    pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "second"}
    target = offline_target(pod, None)
    assert (target.container, target.choice) == ("second", "named by kubectl.kubernetes.io/default-container")
    assert offline_target(pod, "shop").choice == "named by -c"
    pod["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "gone"}
    assert offline_target(pod, None).choice == "the first container of the manifest"


def test_owners_and_selectors() -> None:
    assert controller_of(recorded("shop-fc47bf8bc-lnzmb")["last"]) == Owner("ReplicaSet", "shop-fc47bf8bc")
    assert controller_of(recorded("oom")["last"]) is None
    selectors: list[Any] = [
        {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]},
        {"run": "old"},  # a ReplicationController
        {},
    ]
    assert labels.keys(selectors) == {"app", "tier", "run"}


def waiting(reason: str) -> Any:
    return {"state": {"waiting": {"reason": reason}}, "lastState": {}, "restartCount": 0}


def pending(inits: Any = (), sidecars: Any = (), **statuses: Any) -> Any:
    """A pod with a node, whose containers have these statuses; the last is no init container."""
    *early, app = ({"name": name, **status} for name, status in statuses.items())
    always = {name: {"restartPolicy": "Always"} for name in sidecars}
    return {
        "metadata": {"name": "pod"},
        "spec": {
            "nodeName": "node1",
            "initContainers": [{"name": name, **always.get(name, {})} for name in (*sidecars, *inits)],
            "containers": [{"name": app["name"], "image": "i"}],
        },
        "status": {"phase": "Pending", "initContainerStatuses": early, "containerStatuses": [app]},
    }


@pytest.mark.parametrize("name", [None, "app"])
def test_a_pod_whose_volumes_are_not_there_yet_is_a_target(name: str | None) -> None:
    pod = pending(["init"], init=waiting("PodInitializing"), app=waiting("PodInitializing"))
    target = choose_target(pod, name, None)
    assert (target.container, target.is_init) == (name or "init", name is None)
    assert (target.state, target.reason) == ("never started", "PodInitializing")


def test_a_pod_that_waits_for_a_claim_is_a_target() -> None:
    pod = copy.deepcopy(recorded("unschedulable")["last"])
    [condition] = pod["status"]["conditions"]
    condition["message"] = '0/1 nodes are available: persistentvolumeclaim "data" not found.'
    target = choose_target(pod, None, None)
    assert (target.container, target.state, target.reason) == ("a", "never started", "Unschedulable")


NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
RUNNING = {"state": {"running": {"startedAt": "2026-11-21T02:48:00Z"}}, "lastState": {}, "restartCount": 0}


@pytest.mark.parametrize(("now", "time"), [(NOW, "for 12 min"), (None, "since 2026-11-21T02:48:00Z")])
def test_an_init_container_that_does_not_end_is_named_with_its_time(now: datetime | None, time: str) -> None:
    pod = pending(["wait"], wait=RUNNING, app=waiting("PodInitializing"))
    words = f"init container 'wait' has been running {time}, and the containers after it wait until it ends"
    with pytest.raises(RescueError, match=words):
        choose_target(pod, None, None, now=now)


def test_a_sidecar_that_does_not_pass_its_startup_probe_is_named() -> None:
    pod = pending(sidecars=["proxy"], proxy={**RUNNING, "started": False}, app=waiting("PodInitializing"))
    with pytest.raises(RescueError, match=r"sidecar 'proxy' has been running for 12 min.* until its startup probe"):
        choose_target(pod, None, None, now=NOW)


def test_a_sidecar_that_runs_holds_nobody_up() -> None:
    pod = pending(sidecars=["proxy"], proxy={**RUNNING, "started": True}, app={**RUNNING})
    with pytest.raises(RescueError, match=r"app is running \(0 restarts\)$"):
        choose_target(pod, None, None, now=NOW)


def test_a_sidecar_that_ends_well_fails_all_the_same() -> None:
    ended = {"state": {"terminated": {"exitCode": 0}}, "lastState": {}, "restartCount": 3}
    pod = pending(sidecars=["proxy"], proxy=ended, app=waiting("PodInitializing"))
    assert choose_target(pod, None, None).container == "proxy"


def test_a_secret_that_was_taken_away_after_a_crash_is_what_keeps_it_down() -> None:
    pod = copy.deepcopy(recorded("shop-fc47bf8bc-lnzmb")["last"])
    [entry] = pod["status"]["containerStatuses"]
    entry["state"] = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}}
    target = choose_target(pod, None, None)
    assert (target.state, target.reason, target.exit_code) == ("never started", "CreateContainerConfigError", None)
    entry["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    assert choose_target(pod, None, None).state == "restarted"


@pytest.mark.parametrize(
    ("node", "says"), [("node1", "node node1 has not reported on it"), ("", "default-scheduler has not looked at it")]
)
def test_a_pod_without_any_status_says_who_is_silent(node: str, says: str) -> None:
    pod = {"metadata": {"name": "new"}, "spec": {"nodeName": node, "containers": [{"name": "a", "image": "i"}]}}
    with pytest.raises(RescueError, match=says):
        choose_target(pod, None, None)
