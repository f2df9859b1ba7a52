"""Status building against every status that a real kubelet wrote for the recorded pods."""

import json
from typing import Any

import pytest

from rescue.sandbox.kubelet.status import container_status, pod_key, pod_status
from rescue.sandbox.store import Object
from tests.sandbox.kubelet import recorded

NOW = "2030-01-01T00:00:00Z"
RUN_BY_A_KUBELET = sorted(path.stem for path in recorded.PODS.glob("*.json") if path.stem != "unschedulable")


@pytest.mark.parametrize("name", RUN_BY_A_KUBELET)
def test_every_recorded_status_is_built_from_what_it_shows(name: str) -> None:
    recording = recorded.pod(name)
    statuses = [entry["status"] for entry in recording["statuses"] if "hostIP" in entry["status"]]
    old = recording["statuses"][1]["status"]
    assert len(statuses) >= 3
    for status in statuses:
        view = recorded.view(recording["last"], status, old, _failure(name, status))
        assert pod_status(view, NOW) == _expected(status, old)
        old = status


def test_a_pod_is_named_with_namespace_and_uid() -> None:
    recording = recorded.pod("exit-zero")
    message = recording["statuses"][8]["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    assert message.endswith(f"pod={pod_key(recording['last'])}")


def test_a_condition_of_somebody_else_is_kept() -> None:
    recording = recorded.pod("gate")
    status = recording["last"]["status"]
    gate = {"type": "rescue.dev/never", "status": "False", "lastTransitionTime": NOW}
    old = status | {"conditions": [*status["conditions"], gate]}
    conditions = pod_status(recorded.view(recording["last"], status, old, None), NOW)["conditions"]
    assert conditions[-1] == gate
    assert conditions[2]["message"] == ('the status of pod readiness gate "rescue.dev/never" is not "True", but False')


def test_a_container_without_mounts_shows_none() -> None:
    recording = recorded.pod("gate")
    view = recorded.view(recording["last"], recording["last"]["status"], {}, None)
    view.containers[0].spec = view.containers[0].spec | {"volumeMounts": []}
    assert "volumeMounts" not in container_status(view.containers[0], initializing=False)


def _failure(name: str, status: Object) -> tuple[str, str] | None:
    reasons = {condition.get("reason") for condition in status["conditions"]}
    if name != "deadline" or "PodFailed" not in reasons:
        return None
    return "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"


def _expected(status: Object, old: Object) -> Object:
    """The recording with our runtime's scheme, NOW in conditions that changed, and one oddity less.

    On cgroup v1 the recorded kubelet shows "no limit" as a limit of 8 EiB in the pod's resources.
    """
    text = json.dumps(status).replace("containerd://", "podman://")
    expected: Object = json.loads(text)
    before = {condition["type"]: condition["status"] for condition in old["conditions"]}
    for condition in expected["conditions"]:
        if condition["status"] != before.get(condition["type"]):
            condition["lastTransitionTime"] = NOW
    limits: dict[str, Any] = expected["resources"].get("limits", {})
    return expected | {"resources": {} if limits.get("memory") == "9007199254740988Ki" else expected["resources"]}
