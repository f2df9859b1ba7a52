"""The recorded manifests, all at once on real containers: the same states, exit codes and events as a real cluster.

A container in a crash loop goes on for ever, so the first states of each course are compared, as many as show
everything: waiting, crashing, restarting, backing off and crashing again.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from rescue.sandbox import manage, place
from rescue.sandbox.archive import Entry, Image, busybox, write_archive
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import BY_KIND
from tests.sandbox.courses import Course, Recorder, State, event_of

pytestmark = pytest.mark.containers

DATA = Path(__file__).parent / "data"
RECORDED = sorted(path.stem for path in (DATA / "pods").glob("*.json"))
# States of one container that must agree; the first CrashLoopBackOff and what follows it are among them.
COMPARED = 6
# Far more than a busy machine needs; the recording itself took 100 s.
PATIENCE_SECONDS = 180
NAMESPACE = "rec"

# What the recording's scratch image does: it says its arguments, wants its configuration, and gives up.
CRASH = b"""#!/bin/sh
echo "crash: arguments: $*"
sleep 1
[ -r /etc/app/config.toml ] || { echo "crash: cannot open /etc/app/config.toml" >&2; exit 3; }
"""
IMAGES = (
    Image(
        "docker.io/library/busybox:1.36", (*busybox(), Entry("/etc/passwd", b"root:x:0:0:root:/:/bin/sh\n", mode=0o644))
    ),
    Image("example.com/crash:1", (*busybox(), Entry("/crash", CRASH)), {"Entrypoint": ["/crash"]}),
)


def recording(name: str) -> Object:
    """One pod of the real cluster."""
    found: Object = json.loads((DATA / "pods" / f"{name}.json").read_text("utf-8"))
    return found


def recorded_course(name: str) -> Course:
    course = Course()
    for entry in recording(name)["statuses"]:
        course.add(entry["status"])
    return course


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[place.Place]:
    """A running sandbox with the recording's images; nothing of it is left afterwards."""
    folder = tmp_path_factory.mktemp("courses")
    where = place.Place(f"courses-{os.getpid()}", folder / "sandbox")
    present = podman("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    loaded = [image for image in IMAGES if image.name not in present]
    try:
        manage.load(where, [write_archive(image, folder) for image in loaded])
        manage.up(where)
        yield where
    finally:
        manage.down(where)
        for image in loaded:
            podman("rmi", "--force", image.name)
    left = podman("ps", "--all", "--quiet", "--filter", f"label=dev.rescue.sandbox={where.name}")
    assert left == "", "the sandbox left containers behind"
    assert not where.folder.exists()


@pytest.fixture(scope="module")
def seen(sandbox: place.Place) -> Recorder:
    """What became of the manifests, followed until all of it has been seen or patience ends."""
    return asyncio.run(followed(sandbox))


async def followed(sandbox: place.Place) -> Recorder:
    recorder = Recorder(sandbox, NAMESPACE)
    async with recorder.session() as client:
        async with client.post("/api/v1/namespaces", json={"metadata": {"name": NAMESPACE}}) as response:
            assert response.status == 201, await response.text()
        watching = asyncio.create_task(recorder.follow(client))
        for path in sorted((DATA / "manifests").glob("*.yaml")):
            for manifest in YAML(typ="safe").load_all(path):
                resource = BY_KIND[manifest["apiVersion"], manifest["kind"]]
                prefix = "/api/v1" if not resource.group else f"/apis/{resource.api_version}"
                url = f"{prefix}/namespaces/{NAMESPACE}/{resource.plural}?fieldValidation=Strict"
                async with client.post(url, json=manifest) as response:
                    assert response.status == 201, await response.text()
        for _ in range(PATIENCE_SECONDS):
            if watching.done() or all(complete(recorder, name) for name in RECORDED):
                break
            await asyncio.sleep(1)
        assert not watching.done(), watching.exception()
        watching.cancel()
    return recorder


def counterpart(recorder: Recorder, name: str) -> str | None:
    """The pod in the sandbox; names that a controller made up differ in their last parts."""
    if name in recorder.courses:
        return name
    made = recording(name)["first"]["metadata"].get("generateName")
    owner = recording(name)["first"]["metadata"]["labels"].get("app") or (made or "").rstrip("-")
    # The three pods of the Job are alike; so each recorded one has its own by rank.
    alike = [other for other in RECORDED if recording(other)["first"]["metadata"].get("generateName") == made]
    found = [pod for pod in recorder.courses if made and pod.startswith(f"{owner}-")]
    rank = alike.index(name) if made else 0
    return found[rank] if rank < len(found) else None


def complete(recorder: Recorder, name: str) -> bool:
    """Whether everything that is compared has been seen."""
    pod = counterpart(recorder, name)
    if pod is None:
        return False
    course = recorder.courses[pod].containers
    expected = recorded_course(name).containers
    states = all(len(course.get(c, [])) >= min(len(states), COMPARED) for c, states in expected.items())
    return states and {reason for reason, _, _ in recorder.events.get(pod, ())} >= {
        event["reason"] for event in recording(name)["events"]
    }


def beginning(states: list[State], expected: list[State]) -> list[State]:
    """What is compared: all of it, but of a loop (one that backs off) only as much as the recording shows."""
    loops = any(reason and reason.endswith("BackOff") for _, reason, _ in expected)
    return states[: min(COMPARED, len(expected))] if loops else states


@pytest.mark.parametrize("name", RECORDED)
def test_containers_go_through_the_recorded_states(seen: Recorder, name: str) -> None:
    pod = counterpart(seen, name)
    assert pod is not None
    course, expected = seen.courses[pod].containers, recorded_course(name).containers
    assert course.keys() == expected.keys()
    for container, states in expected.items():
        assert beginning(course[container], states) == beginning(states, states), container


@pytest.mark.parametrize("name", RECORDED)
def test_pods_go_through_the_recorded_phases(seen: Recorder, name: str) -> None:
    pod = counterpart(seen, name)
    assert pod is not None
    assert seen.courses[pod].phases == recorded_course(name).phases


@pytest.mark.parametrize("name", RECORDED)
def test_events_are_the_recorded_ones(seen: Recorder, name: str) -> None:
    pod = counterpart(seen, name)
    assert pod is not None
    assert seen.events[pod] == {event_of(event) for event in recording(name)["events"]}
