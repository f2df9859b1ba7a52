"""What no rescue can explain is refused with the cluster's own reason and a hint that fits it."""

import copy
from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.refusal import refuse_unstarted, refuse_unusable
from rescue.triage import choose_target

from .recorded import recorded


def refused(pod: Any, shortage: str = "") -> RescueError:
    with pytest.raises(RescueError) as caught:
        refuse_unusable(pod, shortage)
    assert caught.value.code is ExitCode.REFUSED
    return caught.value


def changed(name: str, status: Any = None, **spec: Any) -> Any:
    pod = copy.deepcopy(recorded(name)["last"])
    pod["spec"].update(spec)
    return pod if status is None else {**pod, "status": status}


def unscheduled(message: str, reason: str = "Unschedulable") -> Any:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    return {"phase": "Pending", "conditions": [condition]}


def test_a_clone_has_no_clone_of_its_own() -> None:
    pod = changed("oom")
    pod["metadata"].update(
        name="rescue-oom-b2c4d",
        labels={"app.kubernetes.io/managed-by": "rescue"},
        annotations={
            "rescue.dev/source-pod": "oom",
            "rescue.dev/source-uid": "",
            "rescue.dev/source-container": "app",
            "rescue.dev/user": "kim@host",
            "rescue.dev/expires": "2026-11-21T10:00:00Z",
        },
    )
    found = refused(pod)
    assert "'rescue-oom-b2c4d' is itself a clone" in found.message
    assert found.hint == "try: rescue pod oom"


@pytest.mark.parametrize("spec", [{"os": {"name": "windows"}}, {"nodeSelector": {"kubernetes.io/os": "windows"}}])
def test_a_windows_pod_is_refused(spec: Any) -> None:
    assert "Windows" in refused(changed("oom", **spec)).message


@pytest.mark.parametrize(
    ("reason", "message", "says", "hint"),
    [
        ("Evicted", "The node was low on resource: memory.", "was evicted: The node was low", "describe node node1"),
        ("Evicted", 'Usage of EmptyDir volume "tmp" exceeds the limit "1Gi". ', 'the limit "1Gi"', "sizeLimit"),
        ("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.", "1Gi", "limit"),
        ("Terminated", "Pod was terminated in response to imminent node shutdown.", "node shut down: Pod", "elsewhere"),
        ("NodeShutdown", "Pod was rejected as the node is shutting down.", "node was shutting down", "elsewhere"),
        ("DeadlineExceeded", "", "reached its activeDeadlineSeconds", "deadline"),
        ("OutOfcpu", "Node didn't have enough resource: cpu", "by its node: OutOfcpu: Node didn't", "mend"),
    ],
)
def test_a_pod_that_the_cluster_ended_is_refused_with_its_words(
    reason: str, message: str, says: str, hint: str
) -> None:
    error = refused(changed("oom", {"phase": "Failed", "reason": reason, "message": message}))
    assert says in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("0/2 nodes are available: 2 Insufficient memory.", "resources.requests"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}.", "tolerate the taint"),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", "nodeSelector"),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.", "kubectl get pv"),
        ("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.", "hostPort"),
        ("0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.", "relax its affinity"),
        ("0/1 nodes are available: 1 node(s) were unschedulable.", "kubectl uncordon"),
        ("0/1 nodes are available: 1 Too many pods.", "make room"),
        ("0/1 nodes are available: 1 node(s) exceed max volume count.", "use others"),
        ("no nodes available to schedule pods", "no crash to replay"),
    ],
)
def test_an_unscheduled_pod_is_refused_with_a_hint_for_the_schedulers_words(message: str, hint: str) -> None:
    error = refused(changed("unschedulable", unscheduled(message)))
    assert f"was never scheduled: {message}" in error.message
    assert hint in error.hint


def test_by_how_much_a_pod_does_not_fit_is_said_too() -> None:
    error = refused(recorded("unschedulable")["last"], "It asks for cpu 500.")
    assert error.message.endswith("Preemption is not helpful for scheduling. It asks for cpu 500.")


def test_the_gates_that_hold_a_pod_back_are_named() -> None:
    status = unscheduled("Scheduling is blocked due to non-empty scheduling gates", "SchedulingGated")
    error = refused(changed("unschedulable", status, schedulingGates=[{"name": "quota"}, {"name": "tenant"}]))
    assert "before its gates are removed: quota, tenant" in error.message


@pytest.mark.parametrize("name", ["oom", "config-error", "gate", "init-crash", "sidecar"])
def test_a_pod_that_was_started_or_tried_is_not_refused(name: str) -> None:
    refuse_unusable(recorded(name)["last"])


def test_no_plan_is_made_for_a_container_that_never_started() -> None:
    refuse_unstarted(choose_target(recorded("oom")["last"], None, None))
    with pytest.raises(RescueError, match=r"no clone would be made: container 'a' was never started") as caught:
        refuse_unstarted(choose_target(recorded("nonroot")["last"], None, None))
    assert caught.value.hint == "to see why: rescue pod nonroot -n rec"
