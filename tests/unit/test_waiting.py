"""A starting clone is judged as its status says: go on waiting, run, or give up with the reason."""

from typing import Any

import pytest

from rescue.waiting import KEEPER, TOOLKIT, progress

from .recorded import recorded

RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}


def waiting(reason: str, message: str = "") -> Any:
    return {"waiting": {"reason": reason, "message": message}}


def pod(phase: str = "Pending", conditions: Any = (), **states: Any) -> Any:
    """A clone with the init containers toolkit and prepare, the sidecar mesh, and the containers web, keeper, log."""
    named = {TOOLKIT: "toolkit", "prepare": "prepare", "web": "web", KEEPER: "keeper", "log": "log", "mesh": "mesh"}
    entries = [{"name": name, "state": states[key]} for name, key in named.items() if key in states]
    return {
        "metadata": {"name": "rescue-web-x2b4c"},
        "spec": {
            "initContainers": [{"name": TOOLKIT}, {"name": "prepare"}, {"name": "mesh", "restartPolicy": "Always"}]
        },
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": entries},
    }


def test_it_runs_when_target_and_keeper_run() -> None:
    assert not progress(pod(web=RUNNING), "web").running
    assert not progress(pod(web=RUNNING, keeper=waiting("ContainerCreating")), "web").running
    assert progress(pod(web=RUNNING, keeper=RUNNING), "web").running


def test_reasons_are_told_as_they_are() -> None:
    now = progress(pod(toolkit=waiting("ErrImagePull", "no such host"), web=waiting("PodInitializing")), "web")
    assert now.reasons == (f"{TOOLKIT}: ErrImagePull: no such host",)
    assert not now.failure
    condition = recorded("unschedulable")["last"]["status"]["conditions"]
    assert progress(pod(conditions=condition), "web").reasons[0].startswith("not scheduled: 0/1 nodes are available")


@pytest.mark.parametrize(
    ("message", "helps"),
    [
        ("0/3 nodes are available: 3 Insufficient cpu.", "--requests minimal"),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", "--any-node"),
        ("0/2 nodes are available: 2 node(s) had volume node affinity conflict.", "--pvc NAME=empty"),
        ("0/1 nodes are available: 1 node(s) exceed max volume count.", "--pvc empty"),
        ("0/1 nodes are available: 1 node(s) were unschedulable.", "--any-node"),
        ("0/2 nodes are available: 1 node(s) had untolerated taint {a: b}, 1 Insufficient cpu.", "--requests minimal"),
    ],
)
def test_a_scheduler_without_a_node_comes_with_what_helps(message: str, helps: str) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    (reason,) = progress(pod(conditions=[condition]), "web").reasons
    assert reason.startswith(f"not scheduled: {message} (")
    assert helps in reason


def test_where_nothing_is_known_to_help_the_scheduler_alone_speaks() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Too many pods."}
    reasons = progress(pod(conditions=[condition]), "web").reasons
    assert reasons == ("not scheduled: 0/1 nodes are available: 1 Too many pods.",)


@pytest.mark.parametrize(
    ("state", "words", "hint"),
    [
        (
            {"toolkit": waiting("ImagePullBackOff", "back-off")},
            "'rescue-toolkit' of the clone does not start",
            "--toolkit-image",
        ),
        (
            {"prepare": waiting("CrashLoopBackOff", "back-off 10s")},
            "'prepare' of the clone",
            "kubectl logs rescue-web-x2b4c -c prepare",
        ),
        ({"web": waiting("ImagePullBackOff", "back-off")}, "'web' of the clone", "registry"),
        ({"web": waiting("CrashLoopBackOff", "back-off 10s")}, "'web' of the clone", "see why, with --keep"),
        (
            {"web": waiting("CrashLoopBackOff", "unable to set memory limit to 1048576 (current usage: 2023424)")},
            "'web' of the clone",
            "give more with --memory",
        ),
        (
            {"web": waiting("CreateContainerConfigError", 'configmap "x" not found')},
            'configmap "x" not found',
            "describe pod rescue-web-x2b4c",
        ),
    ],
)
def test_what_time_does_not_heal_ends_the_wait(state: Any, words: str, hint: str) -> None:
    now = progress(pod(**state), "web")
    assert words in now.failure
    assert hint in now.hint


def test_how_a_container_ended_says_more_than_its_back_off() -> None:
    clone = pod(prepare=waiting("CrashLoopBackOff", "back-off 10s"))
    clone["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 3}}
    assert progress(clone, "web").failure.endswith("it ended with exit code 3")


def test_an_init_container_that_hangs_is_named_a_sidecar_and_our_own_are_not() -> None:
    assert progress(pod(toolkit=RUNNING, prepare=RUNNING, mesh=RUNNING), "web").reasons == (
        "prepare: this init container has not ended",
    )


def test_a_failing_neighbour_is_said_but_waited_for() -> None:
    now = progress(pod(web=RUNNING, keeper=RUNNING, log=waiting("CrashLoopBackOff")), "web")
    assert (now.running, now.failure, now.reasons) == (True, "", ("log: CrashLoopBackOff",))


def test_a_clone_that_ended_is_a_failure() -> None:
    ended = pod(phase="Failed")
    ended["status"].update(reason="OutOfcpu", message="Node didn't have enough resource: cpu")
    assert "OutOfcpu Node didn't have enough resource: cpu" in progress(ended, "web").failure
