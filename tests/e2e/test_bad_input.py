"""What rescue says, and leaves, when it cannot do its work: an error, a hint, the right exit code, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, Pod, Run, wait_for
from tests.e2e.expect import load_objects

pytestmark = pytest.mark.e2e

USAGE, REFUSED, CLUSTER = 2, 3, 4
NO_TOOLKIT = "rescue.test/no-such-toolkit:1"
GROUND = Path(__file__).parent / "ground"


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Iterator[str]:
    """A namespace with the pods of ground/; it has no clone at the end."""
    namespace = cluster.make_namespace("bad-input", {})
    cluster.apply(namespace, *load_objects(GROUND / "manifest.yaml"))
    yield namespace
    left = cluster.left_clones(namespace)
    cluster.drop_namespace(namespace)
    assert left == []


def check_error(run: Run, code: int, *texts: str) -> None:
    """One error and one hint on stderr that say ``texts``, nothing on stdout, no traceback."""
    said = [line for line in run.stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    assert run.code == code, run.stderr
    assert [line.split(":")[0] for line in said] == ["error", "hint"], run.stderr
    assert [text for text in texts if text not in run.stderr] == [], run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def user_rule(folder: Path, rule: str) -> Path:
    """A file with one rule of a user, on its line 4."""
    path = folder / "mine.yaml"
    path.write_text(f"name: mine\nwhy: I want to.\nrules:\n  - {rule}\n")
    return path


def rescue_pod(cluster: Cluster, namespace: str, pod: str, state: str, *arguments: str) -> Run:
    """Rescue a pod of the ground once it is in ``state``."""
    cluster.pod_in_state(namespace, f"app={pod}", state)
    return cluster.rescue("pod", pod, "-n", namespace, *arguments)


def test_a_pod_that_does_not_exist(cluster: Cluster, ground: str) -> None:
    check_error(cluster.rescue("pod", "no-such-pod", "-n", ground), CLUSTER, "no-such-pod", ground)


def test_a_namespace_that_does_not_exist(cluster: Cluster) -> None:
    check_error(cluster.rescue("pod", "crash", "-n", "no-such-namespace"), CLUSTER, "no-such-namespace")


def test_a_container_that_does_not_exist(cluster: Cluster, ground: str) -> None:
    run = rescue_pod(cluster, ground, "crash", "CrashLoopBackOff", "-c", "no-such-container")
    check_error(run, USAGE, "no-such-container", "app")


def test_a_context_that_does_not_exist(cluster: Cluster, ground: str) -> None:
    check_error(cluster.rescue("pod", "crash", "-n", ground, "--context", "no-such-context"), USAGE, "no-such-context")


def test_a_cluster_that_does_not_answer(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    gone = {
        "clusters": [{"name": "gone", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "me", "user": {"token": "secret"}}],
        "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "me"}}],
        "current-context": "gone",
    }
    kubeconfig.write_text(json.dumps(gone))
    run = cluster.rescue("pod", "crash", "--context", "gone", KUBECONFIG=str(kubeconfig))
    check_error(run, CLUSTER, "127.0.0.1:9")


def test_a_pod_that_runs_fine(cluster: Cluster, ground: str) -> None:
    check_error(rescue_pod(cluster, ground, "healthy", "Running"), REFUSED, "healthy")


def test_a_windows_pod(cluster: Cluster, ground: str) -> None:
    check_error(rescue_pod(cluster, ground, "windows", "Pending"), REFUSED, "indows")


def test_a_pod_that_fits_on_no_node(cluster: Cluster, ground: str) -> None:
    cluster.pod_in_state(ground, "app=giant", "Pending")
    wait_for("the scheduler's refusal", lambda: conditions(cluster.pods(ground, "app=giant")))
    run = cluster.rescue("pod", "giant", "-n", ground)
    check_error(run, REFUSED, "was never scheduled", "Insufficient cpu", "resources.requests")


def test_a_pod_whose_init_container_waits_for_ever(cluster: Cluster, ground: str) -> None:
    name = cluster.pod_in_state(ground, "app=patient", "PodInitializing", "app")
    wait_for("the init container", lambda: inits_running(cluster.pods(ground, "app=patient")))
    run = cluster.rescue("pod", name, "-n", ground)
    check_error(
        run, REFUSED, "init container 'wait' has been running for", "the containers after it wait until it ends"
    )


def conditions(pods: list[Pod]) -> bool:
    """Whether the server has said something of every pod."""
    return all(pod["status"].get("conditions") for pod in pods)


def inits_running(pods: list[Pod]) -> bool:
    """Whether every pod's first init container runs."""
    return all("running" in pod["status"]["initContainerStatuses"][0]["state"] for pod in pods)


def test_a_command_that_only_the_image_knows_and_nobody_may_look(cluster: Cluster, ground: str) -> None:
    run = rescue_pod(cluster, ground, "no-command", "CrashLoopBackOff", "--no-scout")
    check_error(run, REFUSED, "command", "--no-scout", "-- ")


def test_a_patch_file_that_is_malformed(cluster: Cluster, ground: str, tmp_path: Path) -> None:
    patch = user_rule(tmp_path, "{id: mine, op: replaec, path: /spec, value: 1}")
    run = rescue_pod(cluster, ground, "crash", "CrashLoopBackOff", "--patch", str(patch))
    check_error(run, USAGE, "mine.yaml:4", "replaec")


def test_a_patch_that_the_server_refuses(cluster: Cluster, ground: str, tmp_path: Path) -> None:
    patch = user_rule(tmp_path, "{id: mine, op: add, path: /spec/dnsPolicy, value: Nonsense}")
    run = rescue_pod(cluster, ground, "crash", "CrashLoopBackOff", "--patch", str(patch))
    check_error(run, CLUSTER, "spec.dnsPolicy", "Nonsense")


def test_a_clone_whose_toolkit_image_cannot_be_pulled(cluster: Cluster, ground: str) -> None:
    run = rescue_pod(cluster, ground, "crash", "CrashLoopBackOff", "--toolkit-image", NO_TOOLKIT, "--wait", "60")
    check_error(run, CLUSTER, NO_TOOLKIT)
    assert cluster.left_clones(ground) == []


def test_a_clone_that_fits_on_no_node(cluster: Cluster, ground: str, tmp_path: Path) -> None:
    patch = user_rule(tmp_path, "{id: mine, op: add, path: /spec/containers/0/resources, value: {requests: {cpu: 9k}}}")
    run = rescue_pod(cluster, ground, "crash", "CrashLoopBackOff", "--patch", str(patch), "--wait", "5")
    check_error(run, CLUSTER, "Insufficient cpu")
    assert cluster.left_clones(ground) == []


def test_a_clone_that_a_controller_would_adopt(cluster: Cluster) -> None:
    """The clone has no label of its pod's controller any more, and that is what another one selects."""
    namespace = cluster.make_namespace("shy", {})
    try:
        (crash,) = (item for item in load_objects(GROUND / "manifest.yaml") if item["metadata"]["name"] == "crash")
        cluster.apply(namespace, crash, picky(["crash"]))
        run = rescue_pod(cluster, namespace, "crash", "CrashLoopBackOff")
        check_error(run, REFUSED, "ReplicaSet picky would adopt the clone", "--patch")
        assert cluster.left_clones(namespace) == []
    finally:
        cluster.drop_namespace(namespace)


def picky(unwanted: list[str]) -> dict[str, Any]:
    """A ReplicaSet without pods that would take any with another label ``app``, or none."""
    selector = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": unwanted}]}
    container = {"name": "app", "image": "busybox:1.37.0-musl"}
    template = {"metadata": {"labels": {"app": "other"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": selector, "template": template}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "picky"}, "spec": spec}
