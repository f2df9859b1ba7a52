"""What a user wishes of a clone, as the replayed program itself sees it, and what becomes of the original's data."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rescue.manifest import load_all
from tests.e2e.cluster import Cluster, Run, wait_for
from tests.e2e.conftest import RESCUED
from tests.e2e.expect import load_objects
from tests.e2e.images import TOOLKIT

pytestmark = pytest.mark.e2e

MANIFEST = Path(__file__).parent / "mirror.yaml"
# In this order: what one run would leave in the claim, the next one would see.
RUNS = {
    "plain": [],
    "copied": ["--pvc", "mirror=clone", "--env", "WHO=the-clone"],
    "read-only": ["--pvc", "data=read-only"],
    "changed": ["--env", "LOG=debug", "--env", "APP-", "--memory", "96Mi", "--run-as", "1234"],
    "own-identity": ["--identity", "off", "--requests", "minimal"],
    "other-image": ["--set-image", f"mirror={TOOLKIT}", "--only-target", "--same-node"],
}


@dataclass(frozen=True)
class Seen:
    """What the program said in one replay, and the clone that it ran in."""

    run: Run
    words: dict[str, str]
    clone: dict[str, Any]
    left: list[str]

    @property
    def containers(self) -> list[str]:
        """Names of the clone's containers that are not rescue's own."""
        spec = self.clone["spec"]
        names = [c["name"] for c in [*spec.get("initContainers", []), *spec["containers"]]]
        return [name for name in names if not name.startswith("rescue-")]


@pytest.fixture(scope="module")
def seen(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """Every run of RUNS."""
    if not cluster.provides("default-storage-class"):
        pytest.skip("the cluster has no default storage class for the claim")
    namespace = cluster.make_namespace("wishes", {})
    try:
        claim, filler, mirror = load_objects(MANIFEST)
        cluster.apply(namespace, claim, filler)
        cluster.pod_in_state(namespace, "app=filler", "Succeeded")
        cluster.apply(namespace, mirror)
        cluster.pod_in_state(namespace, "app=mirror", "CrashLoopBackOff")
        folders = {name: tmp_path_factory.mktemp(name) / "case" for name in RUNS}
        with ThreadPoolExecutor(2) as pool:
            runs = {name: pool.submit(_look, cluster, namespace, folders[name], RUNS[name]) for name in RUNS}
            yield {name: run.result() for name, run in runs.items()}
    finally:
        cluster.drop_namespace(namespace)


def _look(cluster: Cluster, namespace: str, folder: Path, wishes: list[str]) -> Seen:
    with RESCUED:
        run = cluster.rescue("pod", "mirror-0", "-n", namespace, "-o", "json", "--case", str(folder), *wishes)
    assert run.code in (0, 6), run.stderr
    lines = (folder / "replay" / "stdout").read_text().splitlines()
    words = dict(line.split("=", 1) for line in lines)
    clone = load_all((folder / "clone.yaml").read_text(), "clone.yaml")[0]
    name = clone["metadata"]["name"]
    wait_for(f"the end of {name}", lambda: not _of(cluster, namespace, name))
    return Seen(run, words, clone, _of(cluster, namespace, name))


def _of(cluster: Cluster, namespace: str, clone: str) -> list[str]:
    """The clone and its claims, as long as they are there."""
    claims = cluster.core.list_namespaced_persistent_volume_claim(namespace).items
    names = [*(pod["metadata"]["name"] for pod in cluster.pods(namespace)), *(c.metadata.name for c in claims)]
    return [name for name in names if name.startswith(clone)]


def test_without_a_wish_the_program_finds_itself_but_not_its_data(seen: dict[str, Seen]) -> None:
    words = seen["plain"].words
    assert (words["hostname"], words["pod"], words["app"]) == ("mirror-0", "mirror-0", "mirror")
    assert (words["seed"], words["data"], words["wrote"]) == ("", "", "yes")
    assert (words["token"], words["limit"]) == ("yes", str(64 * 2**20))
    assert seen["plain"].containers == ["beside", "mirror", "log"]


def test_a_copied_claim_has_the_data_and_takes_the_writes_and_goes_with_the_clone(seen: dict[str, Seen]) -> None:
    copied = seen["copied"]
    assert (copied.words["seed"], copied.words["wrote"]) == ("original", "yes")
    assert copied.words["data"].split() == ["by-the-original", "seed"]
    assert copied.left == []


def test_a_read_only_claim_shows_the_originals_data_as_nobody_else_changed_it(seen: dict[str, Seen]) -> None:
    words = seen["read-only"].words
    assert (words["seed"], words["wrote"]) == ("original", "no")
    assert words["data"].split() == ["by-the-original", "seed"]


def test_the_program_sees_what_was_changed_for_it(seen: dict[str, Seen]) -> None:
    words = seen["changed"].words
    assert (words["log"], words["app"], words["uid"], words["limit"]) == ("debug", "", "1234", str(96 * 2**20))


def test_an_identity_of_its_own(seen: dict[str, Seen]) -> None:
    own = seen["own-identity"]
    name = own.clone["metadata"]["name"]
    assert (own.words["hostname"], own.words["pod"]) == (name, name)


def test_another_image_and_no_other_container(seen: dict[str, Seen]) -> None:
    other = seen["other-image"]
    assert other.words["seed"] == ""
    assert other.clone["spec"]["containers"][0]["image"] == TOOLKIT
    assert other.containers == ["mirror"]


def test_a_clone_that_does_not_fit_says_so_and_fits_with_minimal_requests(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    namespace = cluster.make_namespace("greedy", {})
    try:
        cluster.apply(namespace, _greedy(cluster))
        cluster.pod_in_state(namespace, "app=greedy", "CrashLoopBackOff")
        refused = cluster.rescue("pod", "greedy", "-n", namespace, "--wait", "5")
        assert refused.code == 4, refused.stderr
        assert "Insufficient cpu" in refused.stderr
        assert "--requests minimal" in refused.stderr
        case = tmp_path_factory.mktemp("greedy") / "case"
        asked = ["--requests", "minimal", "-o", "json", "--case", str(case)]
        run = cluster.rescue("pod", "greedy", "-n", namespace, *asked)
        assert run.document["replay"]["exitCode"] == 9, run.stderr
    finally:
        cluster.drop_namespace(namespace)


def _greedy(cluster: Cluster) -> dict[str, Any]:
    """A pod that takes more than half of what is free on one node for itself: it does not fit there twice."""
    node = cluster.core.list_node().items[0]
    cores = int(node.status.allocatable["cpu"].removesuffix("m")) / (
        1000 if "m" in node.status.allocatable["cpu"] else 1
    )
    container = {
        "name": "greedy",
        "image": "rescue.test/shell:1",
        "command": ["sh", "-c", "exit 9"],
        "resources": {"requests": {"cpu": f"{int(cores * 550)}m"}},
    }
    labels = {"kubernetes.io/hostname": node.metadata.labels["kubernetes.io/hostname"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy", "labels": {"app": "greedy"}},
        "spec": {"nodeSelector": labels, "containers": [container]},
    }
