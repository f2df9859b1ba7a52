"""Orphans: which ones each controller takes for its own, and what it deletes then (claimObject of Kubernetes)."""

from typing import Any

import pytest

from rescue.sandbox.controllers import settle
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store
from tests.sandbox.plain import (
    controller_kind,
    create,
    delete,
    end,
    events,
    furnished,
    job,
    names,
    node,
    orphan,
    set_phase,
    template,
    workload,
)

OLD = "2020-01-01T00:00:00Z"


def age(store: Store, pod: str) -> None:
    """Make the pod old: creation times have whole seconds, and a test takes less than one."""
    store._objects["pods"]["default", pod]["metadata"]["creationTimestamp"] = OLD


def full_labels(store: Store, pod: str) -> dict[str, str]:
    labels: dict[str, str] = store.get("pods", "default", pod)["metadata"]["labels"]
    return labels


def only_pod(store: Store) -> str:
    (name,) = names(store)
    age(store, name)
    return name


def stray(store: Store, name: str, labels: dict[str, str], **metadata: Any) -> None:
    """An orphan that is on the node already: its deletion takes its grace period."""
    create(store, "pods", name, template()["spec"] | {"nodeName": "node1"}, labels=labels, **metadata)


def finalizers(store: Store, pod: str) -> Any:
    return store.get("pods", "default", pod)["metadata"].get("finalizers")


def test_a_deployments_crashing_pod_loses_against_a_ready_naive_clone(store: Store) -> None:
    create(store, "deployments", "shop", workload())
    original = only_pod(store)
    orphan_labels = full_labels(store, original)
    set_phase(store, original, "Running", ready=False)
    stray(store, "clone", orphan_labels | {"app": "other"})
    set_phase(store, "clone", "Running", ready=True)
    assert names(store) == ["clone", original], "another app is not taken"
    clone = store.get("pods", "default", "clone")
    clone["metadata"]["labels"] = orphan_labels
    store.update("pods", clone)
    settle(store)
    assert names(store) == ["clone"], "production has lost its own pod to the clone"
    assert controller_kind(store, "clone") == "ReplicaSet"


@pytest.mark.parametrize("dropped", ["app", "pod-template-hash"])
def test_a_clone_that_lacks_one_label_of_the_replica_set_is_nobodys(store: Store, dropped: str) -> None:
    create(store, "deployments", "shop", workload())
    original = only_pod(store)
    labels = {key: value for key, value in full_labels(store, original).items() if key != dropped}
    orphan(store, "clone", **labels)
    assert names(store) == ["clone", original]
    assert controller_kind(store, "clone") is None


def test_a_bare_replica_set_takes_and_deletes_a_naive_clone(store: Store) -> None:
    create(store, "replicasets", "bare", workload(replicas=1))
    original = only_pod(store)
    orphan(store, "clone", **full_labels(store, original))
    assert names(store) == [original]
    assert ("SuccessfulDelete", "Deleted pod: clone") in events(store, "bare")


def test_the_cost_of_deletion_decides_between_equals(store: Store) -> None:
    create(store, "replicasets", "bare", workload(replicas=1))
    original = only_pod(store)
    cost = {"controller.kubernetes.io/pod-deletion-cost": "10"}
    stray(store, "clone", {"app": "x"}, annotations=cost)
    assert names(store) == ["clone"]
    assert "deletionTimestamp" in store.get("pods", "default", original)["metadata"]


def test_a_daemon_set_takes_a_naive_clone_on_its_node_and_deletes_it(store: Store) -> None:
    create(store, "daemonsets", "agent", workload())
    original = only_pod(store)
    orphan(store, "clone", app="x")
    assert names(store) == [original]
    assert controller_kind(store, "clone") == "DaemonSet"
    assert ("SuccessfulDelete", "Deleted pod: clone") in events(store, "agent")


def test_a_daemon_set_deletes_the_younger_pod_whichever_it_is(store: Store) -> None:
    orphan(store, "elder", app="x")
    age(store, "elder")
    spec = workload(updateStrategy={"type": "OnDelete"})
    create(store, "daemonsets", "agent", spec)
    assert names(store) == ["elder"], "the elder stands for the node, so no pod is made"


def test_a_rolling_daemon_set_replaces_an_orphan_that_is_of_no_revision(store: Store) -> None:
    orphan(store, "elder", app="x")
    create(store, "daemonsets", "agent", workload())
    assert "deletionTimestamp" in store.get("pods", "default", "elder")["metadata"]
    end(store, "elder")
    assert [name.rpartition("-")[0] for name in names(store)] == ["agent"]


def test_a_clone_without_the_daemon_sets_labels_is_left_alone(store: Store) -> None:
    create(store, "daemonsets", "agent", workload())
    original = only_pod(store)
    labels = {key: value for key, value in full_labels(store, original).items() if key != "app"}
    orphan(store, "clone", **labels)
    assert names(store) == sorted([original, "clone"])
    assert controller_kind(store, "clone") is None


def test_a_daemon_sets_failed_pod_is_replaced(store: Store) -> None:
    create(store, "daemonsets", "agent", workload())
    first = only_pod(store)
    set_phase(store, first, "Failed")
    assert ("FailedDaemonPod", f"Found failed daemon pod default/{first} on node node1, will try to kill it") in events(
        store, "agent"
    )
    assert len(names(store)) == 1 and names(store) != [first]


def test_a_daemon_set_has_no_pod_on_a_node_that_it_does_not_tolerate() -> None:
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    store = furnished(node("node1", taints=[taint]), node("node2", unschedulable=True))
    create(store, "daemonsets", "agent", workload())
    assert [pod["spec"]["nodeName"] for pod in store.list("pods")] == ["node2"]


@pytest.mark.parametrize(("name", "taken"), [("db-7", True), ("db-0-rescue-x2x2x", False), ("other-1", False)])
def test_a_stateful_set_takes_pods_by_name_and_labels(store: Store, name: str, taken: bool) -> None:
    create(store, "statefulsets", "db", workload(serviceName="db"))
    stray(store, name, full_labels(store, only_pod(store)))
    assert names(store) == (["db-0"] if taken else ["db-0", name])
    assert (controller_kind(store, name) == "StatefulSet") is taken


def test_a_job_takes_a_naive_clone_and_counts_it_as_a_failure(store: Store) -> None:
    create(store, "jobs", "report", job(backoffLimit=0))
    original = only_pod(store)
    stray(store, "clone", full_labels(store, original))
    assert controller_kind(store, "clone") == "Job"
    assert ("SuccessfulDelete", "Deleted pod: clone") in events(store, "report")
    status = store.get("jobs", "default", "report")["status"]
    assert (status["failed"], status["conditions"][-1]["reason"]) == (1, "BackoffLimitExceeded")
    assert names(store) == [], "the Job has failed, and its own pod went with it"


def test_a_clone_that_succeeds_completes_the_job(store: Store) -> None:
    create(store, "jobs", "report", job())
    (original,) = names(store)
    stray_labels = full_labels(store, original)
    set_phase(store, original, "Failed")
    stray(store, "clone", stray_labels)
    assert finalizers(store, "clone") == ["batch.kubernetes.io/job-tracking"]
    set_phase(store, "clone", "Succeeded")
    status = store.get("jobs", "default", "report")["status"]
    assert (status["succeeded"], status["conditions"][-1]["type"]) == (1, "Complete")


def test_a_job_that_has_finished_takes_nobody(store: Store) -> None:
    create(store, "jobs", "report", job())
    original = only_pod(store)
    set_phase(store, original, "Succeeded")
    orphan(store, "clone", **full_labels(store, original))
    assert controller_kind(store, "clone") is None
    assert finalizers(store, "clone") is None


def test_an_orphan_that_is_being_deleted_is_not_taken(store: Store) -> None:
    orphan(store, "leaving", app="x")
    delete(store, "pods", "leaving")
    create(store, "replicasets", "bare", workload(replicas=1))
    assert controller_kind(store, "leaving") is None
    assert len(names(store)) == 1


def test_a_plain_owner_protects_from_nothing_a_controller_does(store: Store) -> None:
    config = store.get("configmaps", "default", "kube-root-ca.crt")
    owner: Object = {"apiVersion": "v1", "kind": "ConfigMap", "name": "kube-root-ca.crt"}
    owner["uid"] = config["metadata"]["uid"]
    create(store, "replicasets", "bare", workload(replicas=0))
    stray(store, "plain", {"app": "x"}, ownerReferences=[owner])
    stray(store, "held", {"app": "x"}, ownerReferences=[owner | {"controller": True}])
    assert names(store) == ["held"]
    assert controller_kind(store, "plain") == "ReplicaSet"
