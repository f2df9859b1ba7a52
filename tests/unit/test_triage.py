"""The failing container is found by itself in every kind of trouble that a real cluster showed."""

import copy
from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.model import Owner
from rescue.triage import choose_target, controller_of, offline_target, selector_keys

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
REFUSED = {
    "agent-cms5z": "does not fail: a is running",
    "child-oom": "does not fail: a is running",
    "config-error": 'never started \\(CreateContainerConfigError\\): .*configmap "nope" not found',
    "deadline": "reached its activeDeadlineSeconds",
    "gate": "does not fail: a is running",
    "image-pull": "never started \\(ErrImagePull\\)",
    "nonroot": "container has runAsNonRoot and image will run as root",
    "unschedulable": "was never scheduled: 0/1 nodes are available",
}


def test_every_recorded_pod_is_judged() -> None:
    assert sorted([*FAILING, *REFUSED]) == names()


@pytest.mark.parametrize("name", FAILING)
def test_the_failing_container_is_found(name: str) -> None:
    target = choose_target(recorded(name)["last"], None, None)
    assert (target.container, target.is_init, target.reason, target.exit_code) == FAILING[name]
    assert target.choice == "the only failing container"


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


@pytest.mark.parametrize("spec", [{"os": {"name": "windows"}}, {"nodeSelector": {"kubernetes.io/os": "windows"}}])
def test_a_windows_pod_is_refused(spec: Any) -> None:
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["spec"].update(spec)
    with pytest.raises(RescueError, match="Windows"):
        choose_target(pod, None, None)


def test_a_pod_that_its_node_rejected_is_refused_with_the_nodes_reason() -> None:
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["status"] = {"phase": "Failed", "reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"}
    with pytest.raises(RescueError, match="rejected by its node: OutOfcpu: Node didn't have enough resource: cpu"):
        choose_target(pod, None, None)


def test_a_manifest_without_status_takes_its_first_container() -> None:
    pod = recorded("init-crash")["first"]
    assert offline_target(pod, None).container == "app"
    assert offline_target(pod, "migrate").is_init


def test_owners_and_selectors() -> None:
    assert controller_of(recorded("shop-fc47bf8bc-lnzmb")["last"]) == Owner("ReplicaSet", "shop-fc47bf8bc")
    assert controller_of(recorded("oom")["last"]) is None
    controllers: list[Any] = [
        {
            "spec": {
                "selector": {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}
            }
        },
        {"spec": {"selector": {"run": "old"}}},  # a ReplicationController
        {"spec": {}},
    ]
    assert selector_keys(controllers) == {"app", "tier", "run"}
