"""The columns that kubectl prints, against what it prints of a real cluster's pods."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rescue.sandbox.objects import Object
from rescue.sandbox.resources import RESOURCES
from rescue.sandbox.tables import columns_of, pods, table
from rescue.sandbox.tables.columns import human

DATA = Path(__file__).parent / "data" / "pods"
NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)


def recorded(name: str) -> Object:
    found = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    pod: Object = found["first"] | {"status": found["statuses"][-1]["status"]}
    return pod


@pytest.mark.parametrize(
    ("name", "ready", "text"),
    [
        ("agent-cms5z", "1/1", "Running"),
        ("config-error", "0/1", "CreateContainerConfigError"),
        ("image-pull", "0/1", "ErrImagePull"),
        ("init-crash", "0/1", "Init:Error"),
        ("oom", "0/1", "OOMKilled"),
        ("exit-zero", "0/1", "Completed"),
        ("sidecar", "1/2", "Error"),
        ("unschedulable", "0/1", "Pending"),
        ("poststart", "0/1", "CrashLoopBackOff"),
    ],
)
def test_ready_and_status(name: str, ready: str, text: str) -> None:
    assert (pods.ready(recorded(name)), pods.status_text(recorded(name))) == (ready, text)


def test_a_pod_that_is_being_deleted_is_terminating() -> None:
    pod = recorded("agent-cms5z")
    pod["metadata"]["deletionTimestamp"] = "2026-11-21T02:30:00Z"
    assert pods.status_text(pod) == "Terminating"


def test_restarts_say_when_the_last_one_was() -> None:
    pod = recorded("oom")
    finished = datetime.fromisoformat(pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["finishedAt"])
    count = pod["status"]["containerStatuses"][0]["restartCount"]
    assert pods.restarts(pod, NOW) == f"{count} ({human((NOW - finished).total_seconds())} ago)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (147, "2m27s"),
        (180, "3m"),
        (720, "12m"),
        (3 * 3600 + 300, "3h5m"),
        (20 * 3600, "20h"),
        (2 * 86400 + 4 * 3600, "2d4h"),
        (400 * 86400, "400d"),
        (800 * 86400, "2y70d"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert human(seconds) == text


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.plural)
def test_every_kind_has_a_table(resource: object) -> None:
    obj: Object = {
        "metadata": {"name": "x", "creationTimestamp": "2026-11-21T02:29:00Z"},
        "spec": {"containers": [], "template": {"spec": {"containers": []}}},
        "status": {},
        "involvedObject": {},
    }
    columns = columns_of(resource)  # type: ignore[arg-type]
    made = table([obj], resource, {}, NOW)  # type: ignore[arg-type]
    cells = made["rows"][0]["cells"]
    assert len(cells) == len(columns) == len(made["columnDefinitions"])
    assert "x" in cells
