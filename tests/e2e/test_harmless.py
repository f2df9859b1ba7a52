"""A clone is nobody's: no controller adopts it, no Service sends it traffic, no pod goes because of it.

Beside each clone a naive copy of the same pod shows that the controllers and the Service were looking.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import pods, workloads
from tests.e2e.cluster import Cluster, Pod, name_of, wait_for
from tests.e2e.conftest import RESCUED
from tests.e2e.workloads import KINDS, Kind

pytestmark = pytest.mark.e2e

by_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@dataclass(frozen=True)
class Herd:
    """A namespace with a crash loop of each kind, each with a clone that was kept."""

    cluster: Cluster
    namespace: str
    before: dict[str, Any]  # by kind: ``counted`` before there was any clone
    clones: dict[str, str]  # by kind: the uid of its pod's clone

    def clone(self, kind: Kind) -> Pod:
        """The clone of a kind's pod, as it is now."""
        return next(pod for pod in self.cluster.clones(self.namespace) if uid_of(pod) == self.clones[kind.name])


@pytest.fixture(scope="module")
def herd(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Herd]:
    """All workloads rescued, all clones kept and running."""
    namespace = cluster.make_namespace("harmless", {})
    try:
        cluster.apply(namespace, workloads.service(), workloads.healthy())
        for kind in KINDS:
            cluster.apply(namespace, workloads.workload(kind), workloads.budget(kind))
        names = {kind.name: crashing(cluster, namespace, kind) for kind in KINDS}
        wait_for("a healthy endpoint", lambda: "healthy" in served(cluster, namespace))
        before = {kind.name: counted(cluster, namespace, kind) for kind in KINDS}
        with ThreadPoolExecutor() as pool:
            folders = {kind: tmp_path_factory.mktemp(kind) / "case" for kind in names}
            runs = {kind: pool.submit(keep, cluster, namespace, pod, folders[kind]) for kind, pod in names.items()}
        clones = {kind: run.result() for kind, run in runs.items()}
        yield Herd(cluster, namespace, before, clones)
    finally:
        cluster.drop_namespace(namespace)


@by_kind
def test_a_controller_leaves_the_clone_alone_and_adopts_a_naive_copy(herd: Herd, kind: Kind) -> None:
    adopted = adopt(herd, kind)
    assert adopted["metadata"]["ownerReferences"][0]["controller"] is True
    clone = herd.clone(kind)
    assert "ownerReferences" not in clone["metadata"]
    assert "deletionTimestamp" not in clone["metadata"]
    assert clone["status"]["phase"] == "Running"


@by_kind
def test_pods_replicas_and_disruption_budget_are_those_of_before(herd: Herd, kind: Kind) -> None:
    assert len(herd.before[kind.name]["pods"]) >= 1
    assert herd.before[kind.name]["budget"] == len(herd.before[kind.name]["pods"])
    wait_for(f"{kind.name} as before", lambda: counted(herd.cluster, herd.namespace, kind) == herd.before[kind.name])


@by_kind
def test_a_service_knows_the_clone_and_sends_it_nothing(herd: Herd, kind: Kind) -> None:
    name = name_of(herd.clone(kind))
    listed = wait_for(f"{name} in a slice", lambda: endpoints(herd.cluster, herd.namespace).get(name))
    assert listed is not None
    assert (listed["ready"], listed["serving"]) == (False, False)
    conditions = {entry["type"]: entry["status"] for entry in herd.clone(kind)["status"]["conditions"]}
    assert (conditions["ContainersReady"], conditions["Ready"]) == ("True", "False")


def test_a_service_sends_traffic_to_a_healthy_pod_and_to_a_clone_without_its_gate(herd: Herd) -> None:
    copy = workloads.without_gate(herd.clone(KINDS[0]), "naive-open")
    pods.create(herd.cluster, herd.namespace, copy)
    wait_for("traffic for it", lambda: {"healthy", "naive-open"} <= served(herd.cluster, herd.namespace))


def adopt(herd: Herd, kind: Kind) -> Pod:
    """A naive copy of the kind's pod, as its controller has adopted it; it is gone when this returns."""
    original = herd.cluster.pods(herd.namespace, f"app={kind.name.lower()}")[0]
    copy = workloads.naive_copy(original, kind.adoptable.format(kind.name.lower()))
    made = pods.create(herd.cluster, herd.namespace, copy)
    adopted = next((pod for pod in pods.life(herd.cluster, made) if "ownerReferences" in pod["metadata"]), None)
    assert adopted, f"the {kind.name} did not adopt {copy['metadata']['name']}: this test proves nothing"
    pods.delete(herd.cluster, made)
    wait_for("its end", lambda: name_of(made) not in map(name_of, herd.cluster.pods(herd.namespace)))
    return adopted


def crashing(cluster: Cluster, namespace: str, kind: Kind) -> str:
    """The name of a pod in the kind's crash loop, once all its pods are there."""
    selector, wanted = f"app={kind.name.lower()}", kind.more.get("replicas", 1)
    wait_for(f"{wanted} pods of {kind.name}", lambda: len(cluster.pods(namespace, selector)) >= wanted)
    return cluster.pod_in_state(namespace, selector, "CrashLoopBackOff")


def keep(cluster: Cluster, namespace: str, pod: str, folder: Path) -> str:
    """Rescue a pod, and keep its clone: the clone's uid."""
    with RESCUED:
        run = cluster.rescue("pod", pod, "-n", namespace, "-o", "json", "--keep", "--case", str(folder))
    assert run.code == 0, run.stderr
    name = run.document["clone"]["name"]
    return next(uid_of(clone) for clone in cluster.clones(namespace) if name_of(clone) == name)


def counted(cluster: Cluster, namespace: str, kind: Kind) -> dict[str, Any]:
    """What a clone must not change: the uids of the workload's pods, its own counts, its disruption budget's."""
    name = kind.name.lower()
    (workload,) = [o for o in cluster.objects(kind.api_version, kind.plural, namespace) if name_of(o) == name]
    (budget,) = [o for o in cluster.objects("policy/v1", "poddisruptionbudgets", namespace) if name_of(o) == name]
    fields = ("replicas", "currentNumberScheduled", "desiredNumberScheduled", "active")
    return {
        "pods": sorted(uid_of(pod) for pod in cluster.pods(namespace, f"app={name}")),
        "spec": workload["spec"],
        "status": {field: workload["status"].get(field) for field in fields},
        "budget": budget.get("status", {}).get("expectedPods"),
    }


def endpoints(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """The conditions of every endpoint of the namespace's Services, by the name of its pod."""
    slices = cluster.objects("discovery.k8s.io/v1", "endpointslices", namespace)
    entries = [entry for part in slices for entry in part.get("endpoints") or ()]
    return {entry["targetRef"]["name"]: entry["conditions"] for entry in entries}


def served(cluster: Cluster, namespace: str) -> set[str]:
    """The pods that get traffic from any Service."""
    return {name for name, conditions in endpoints(cluster, namespace).items() if conditions["ready"]}


def uid_of(pod: Pod) -> str:
    """metadata.uid"""
    return str(pod["metadata"]["uid"])
