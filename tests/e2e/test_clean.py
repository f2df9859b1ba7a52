"""What a killed rescue left is listed and deleted; what only looks like it, and what is a colleague's, stays."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import pods
from tests.e2e.cluster import Cluster, Pod, name_of, wait_for
from tests.e2e.expect import load_objects

pytestmark = pytest.mark.e2e

CLUSTER = 4
ENDLESS = Path(__file__).parent / "ground" / "endless.yaml"
LABELS = {"app.kubernetes.io/managed-by": "rescue"}
USER, EXPIRES = "rescue.dev/user", "rescue.dev/expires"


@pytest.fixture
def ground(cluster: Cluster) -> Iterator[str]:
    """A namespace with a crash loop whose replay is endless."""
    namespace = cluster.make_namespace("clean", {})
    cluster.apply(namespace, *load_objects(ENDLESS))
    cluster.pod_in_state(namespace, "app=endless", "CrashLoopBackOff")
    yield namespace
    cluster.drop_namespace(namespace)


@pytest.fixture
def left(cluster: Cluster, ground: str) -> Pod:
    """The clone of a rescue that was killed with SIGKILL."""
    with cluster.start("pod", "endless", "-n", ground) as process:
        clone = running_clone(cluster, ground)
        process.kill()
    return clone


def running_clone(cluster: Cluster, namespace: str) -> Pod:
    running: Callable[[], list[Pod]] = lambda: [  # noqa: E731
        clone for clone in cluster.clones(namespace) if clone["status"].get("phase") == "Running"
    ]
    [clone] = wait_for("a running clone", running)
    return clone


def look_alike(clone: Pod, name: str, **changes: Any) -> dict[str, Any]:
    """A pod with the marks of a clone but for ``changes`` of its labels and annotations."""
    annotations = clone["metadata"]["annotations"] | changes.get("annotations", {})
    metadata = {
        "name": name,
        "labels": changes.get("labels", LABELS),
        "annotations": {key: value for key, value in annotations.items() if value is not None},
    }
    container = {"name": "app", "image": "rescue.test/shell:1", "command": ["sleep", "3600"]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def uids(cluster: Cluster, namespace: str) -> dict[str, str]:
    return {name_of(pod): str(pod["metadata"]["uid"]) for pod in cluster.pods(namespace)}


def listed(cluster: Cluster, *arguments: str) -> list[dict[str, Any]]:
    run = cluster.rescue("ls", *arguments, "-o", "json")
    assert run.code == 0, run.stderr
    clones: list[dict[str, Any]] = run.document["clones"]
    return clones


def test_a_clone_of_a_killed_rescue_is_listed_and_deleted(cluster: Cluster, ground: str, left: Pod) -> None:
    [row] = listed(cluster, "-n", ground)
    assert (row["name"], row["phase"], row["sourcePod"]) == (name_of(left), "Running", "endless")
    assert (row["sourceContainer"], row["mine"], row["expired"]) == ("app", True, False)
    assert row in listed(cluster, "-A")
    table = cluster.rescue("ls", "-n", ground).stdout
    assert name_of(left) in table
    assert "endless/app" in table

    before = uids(cluster, ground)
    assert cluster.rescue("clean", "-n", ground, "--expired").stdout == "nothing to clean\n"
    dry = cluster.rescue("clean", "-n", ground, "--dry-run")
    assert dry.stdout == f"would delete {name_of(left)} in namespace {ground}\n"
    assert uids(cluster, ground) == before

    run = cluster.rescue("clean", "-n", ground)
    assert (run.code, run.stdout) == (0, f"deleted {name_of(left)} in namespace {ground}\n")
    assert uids(cluster, ground) == {"endless": before["endless"]}
    assert cluster.rescue("clean", "-n", ground).stdout == "nothing to clean\n"
    assert listed(cluster, "-n", ground) == []


def test_look_alikes_are_never_touched(cluster: Cluster, ground: str, left: Pod) -> None:
    fakes = [
        look_alike(left, "rescue-endless-zzzzz", labels={"app.kubernetes.io/managed-by": "Helm"}),
        look_alike(left, "rescue-endless-yyyyy", annotations={"rescue.dev/source-container": None}),
        look_alike(left, "rescue-other-xxxxx"),
        look_alike(left, "endless-0"),
        look_alike(left, "rescue-endless-wwwww", annotations={EXPIRES: "soon"}),
    ]
    for fake in fakes:
        pods.create(cluster, ground, fake)
    before = uids(cluster, ground)
    run = cluster.rescue("clean", "--all", "-n", ground, "-o", "json")
    assert run.document["deleted"] == [{"namespace": ground, "name": name_of(left)}]
    assert uids(cluster, ground) == {name: uid for name, uid in before.items() if name != name_of(left)}
    # The first has not even the label, so it is not looked at.
    said = [name_of(fake) for fake in fakes if f"pod {name_of(fake)} in namespace {ground} is left alone" in run.stderr]
    assert said == [name_of(fake) for fake in fakes[1:]]


def annotate(cluster: Cluster, pod: Pod, **annotations: str) -> None:
    patch = {"metadata": {"annotations": {f"rescue.dev/{name}": value for name, value in annotations.items()}}}
    cluster.core.patch_namespaced_pod(name_of(pod), pod["metadata"]["namespace"], patch)


def test_a_colleagues_clone_stays_until_it_expires(cluster: Cluster, ground: str, left: Pod) -> None:
    annotate(cluster, left, user="kim@laptop")
    assert cluster.rescue("clean", "-n", ground).stdout == "nothing to clean\n"
    assert listed(cluster, "-n", ground)[0]["mine"] is False
    annotate(cluster, left, expires="2026-01-01T00:00:00Z")
    assert "expired" in cluster.rescue("ls", "-n", ground).stdout
    run = cluster.rescue("clean", "-n", ground, "--expired")
    assert run.stdout == f"deleted {name_of(left)} in namespace {ground}\n"
    assert cluster.clones(ground) == []


def test_a_clone_that_does_not_go_is_4_and_the_command_is_said(cluster: Cluster, ground: str, left: Pod) -> None:
    pods.hold(cluster, left)
    try:
        run = cluster.rescue("clean", "-n", ground, "-o", "json")
    finally:
        pods.let_go(cluster, left)
    assert run.code == CLUSTER
    [stays] = run.document["left"]
    assert (stays["name"], run.document["deleted"]) == (name_of(left), [])
    assert f"kubectl delete pod {name_of(left)} -n {ground}" in run.stderr


def test_a_rescue_whose_clone_is_cleaned_away_says_so(cluster: Cluster, ground: str) -> None:
    with cluster.start("pod", "endless", "-n", ground, "-o", "json") as process:
        running_clone(cluster, ground)
        cleaned = cluster.rescue("clean", "-n", ground)
        stdout, stderr = process.communicate(timeout=120)
    assert cleaned.code == 0, cleaned.stderr
    assert process.returncode == CLUSTER, stderr
    assert "somebody deleted the clone" in stderr
    assert stdout == ""
    assert cluster.clones(ground) == []


def test_the_list_of_a_namespace_without_clones(cluster: Cluster, ground: str) -> None:
    run = cluster.rescue("ls", "-n", ground)
    assert (run.code, run.stdout, run.stderr) == (0, "", f"no clones in namespace {ground}\n")
    assert json.loads(cluster.rescue("ls", "-n", ground, "-o", "json").stdout)["clones"] == []
