"""The controllers, without a kubelet: what they make, adopt, leave alone and delete."""

from pathlib import Path

import pytest

from rescue.sandbox import registry, resources
from rescue.sandbox.controllers import settle
from rescue.sandbox.objects import Object
from rescue.sandbox.placement.requests import requested
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.storage.disks import Disks
from rescue.sandbox.storage.provisioner import Provisioner
from rescue.sandbox.store import Store
from tests.sandbox.plain import (
    controller_kind,
    create,
    delete,
    job,
    names,
    orphan,
    set_phase,
    template,
    workload,
)


def test_a_deployment_makes_a_replica_set_and_that_makes_pods(store: Store) -> None:
    create(store, "deployments", "shop", workload(replicas=2))
    replica_set = store.list("replicasets")[0]
    suffix = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"shop-{suffix}"
    pods = store.list("pods")
    assert len(pods) == 2
    assert pods[0]["metadata"]["labels"] == {"app": "x", "pod-template-hash": suffix}
    assert pods[0]["spec"]["nodeName"] == "node1"
    for pod in names(store):
        set_phase(store, pod, "Running", ready=True)
    status = store.get("deployments", "default", "shop")["status"]
    assert (status["readyReplicas"], status["conditions"][0]["status"]) == (2, "True")


def test_an_orphan_with_the_full_labels_is_adopted_and_the_surplus_deleted(store: Store) -> None:
    create(store, "deployments", "shop", workload())
    mine = names(store)[0]
    set_phase(store, mine, "Running", ready=True)
    labels = store.get("pods", "default", mine)["metadata"]["labels"]
    orphan(store, "clone", **labels)
    assert names(store) == [mine]
    events = [(e["reason"], e["message"]) for e in store.list("events") if e["involvedObject"]["kind"] == "ReplicaSet"]
    assert ("SuccessfulDelete", "Deleted pod: clone") in events


def test_an_orphan_without_the_template_hash_is_left_alone(store: Store) -> None:
    create(store, "deployments", "shop", workload())
    orphan(store, "clone", app="x")
    assert "clone" in names(store)
    assert controller_kind(store, "clone") is None


def test_an_orphan_is_adopted_when_there_is_room_for_it(store: Store) -> None:
    orphan(store, "first", app="x")
    create(store, "replicasets", "rs", workload(replicas=1))
    assert names(store) == ["first"]
    assert controller_kind(store, "first") == "ReplicaSet"


def test_a_pod_of_another_controller_is_never_taken(store: Store) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "kube-root-ca.crt", "controller": True}
    owner["uid"] = store.get("configmaps", "default", "kube-root-ca.crt")["metadata"]["uid"]
    create(store, "pods", "taken", template()["spec"], labels={"app": "x"}, ownerReferences=[owner])
    create(store, "replicasets", "rs", workload(replicas=1))
    assert len(names(store)) == 2
    assert controller_kind(store, "taken") == "ConfigMap"


def test_a_pod_that_no_longer_matches_is_released_and_replaced(store: Store) -> None:
    create(store, "replicasets", "rs", workload(replicas=1))
    name = names(store)[0]
    pod = store.get("pods", "default", name)
    pod["metadata"]["labels"] = {"app": "debug"}
    store.update("pods", pod)
    settle(store)
    assert controller_kind(store, name) is None
    assert len(names(store)) == 2


def test_a_daemon_set_has_one_pod_and_deletes_an_adopted_orphan(store: Store) -> None:
    create(store, "daemonsets", "agent", workload())
    mine = names(store)
    assert len(mine) == 1
    pod = store.get("pods", "default", mine[0])
    pod["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    store._objects["pods"]["default", mine[0]]["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    orphan(store, "clone", app="x")
    assert names(store) == mine


def test_a_stateful_set_claims_by_name(store: Store) -> None:
    create(store, "statefulsets", "db", workload(serviceName="db"))
    assert names(store) == ["db-0"]
    first = store.get("pods", "default", "db-0")
    assert (first["spec"]["hostname"], first["spec"]["subdomain"]) == ("db-0", "db")
    orphan(store, "naive-sts", app="x")
    orphan(store, "db-1", app="x")
    assert controller_kind(store, "naive-sts") is None
    assert "naive-sts" in names(store)
    # db-1 is adopted, and surplus with one replica.
    assert "db-1" not in names(store)


async def test_a_stateful_set_waits_for_each_pod_and_makes_its_claims(store: Store, tmp_path: Path) -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "standard"}}
    claim["spec"]["resources"] = {"requests": {"storage": "1Gi"}}  # type: ignore[index]
    create(store, "statefulsets", "db", workload(serviceName="db", replicas=2, volumeClaimTemplates=[claim]))
    assert names(store) == ["db-0"]
    assert names(store, "persistentvolumeclaims") == ["data-db-0"]
    await Provisioner(store, Disks(tmp_path)).once()
    settle(store)
    assert store.get("persistentvolumeclaims", "default", "data-db-0")["status"]["phase"] == "Bound"
    set_phase(store, "db-0", "Running", ready=True)
    assert names(store) == ["db-0", "db-1"]


def test_a_job_counts_and_completes(store: Store) -> None:
    create(store, "jobs", "report", job())
    name = names(store)[0]
    pod = store.get("pods", "default", name)
    assert pod["metadata"]["finalizers"] == ["batch.kubernetes.io/job-tracking"]
    assert pod["metadata"]["labels"]["job-name"] == "report"
    set_phase(store, name, "Succeeded")
    done = store.get("jobs", "default", "report")["status"]
    assert (done["succeeded"], done["conditions"][-1]["type"]) == (1, "Complete")
    assert store.get("pods", "default", name)["metadata"]["finalizers"] == []


def test_a_job_backs_off_and_fails_at_its_limit(store: Store) -> None:
    create(store, "jobs", "report", job(backoffLimit=1))
    set_phase(store, names(store)[0], "Failed")
    # The next try is ten seconds away.
    assert len(names(store)) == 1
    first = store._objects["pods"]["default", names(store)[0]]
    first["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    settle(store)
    assert len(names(store)) == 2
    for name in names(store):
        set_phase(store, name, "Failed")
    failed = store.get("jobs", "default", "report")["status"]
    assert (failed["failed"], failed["conditions"][-1]["reason"]) == (2, "BackoffLimitExceeded")


def test_a_new_template_rolls_the_pods_over(store: Store) -> None:
    create(store, "deployments", "shop", workload(replicas=1))
    old = names(store)[0]
    set_phase(store, old, "Running", ready=True)
    deployment = store.get("deployments", "default", "shop")
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:2"
    store.update("deployments", deployment)
    settle(store)
    new = next(name for name in names(store) if name != old)
    assert old in names(store)
    set_phase(store, new, "Running", ready=True)
    assert names(store) == [new]
    assert store.get("deployments", "default", "shop")["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "2"
    }


def test_what_a_deleted_deployment_owned_goes_too(store: Store) -> None:
    create(store, "deployments", "shop", workload())
    delete(store, "deployments", "shop")
    assert names(store, "replicasets") == []
    assert names(store) == []


def test_orphaned_dependents_stay(store: Store) -> None:
    create(store, "replicasets", "rs", workload(replicas=1))
    delete(store, "replicasets", "rs", propagationPolicy="Orphan")
    assert len(names(store)) == 1
    assert controller_kind(store, names(store)[0]) is None


def test_an_object_whose_owner_never_was_is_collected(store: Store) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "0"}
    create(store, "pods", "p", template()["spec"], ownerReferences=[owner])
    assert names(store) == []


def test_a_deleted_namespace_is_emptied_and_removed(store: Store) -> None:
    registry.create(store, Target(resources.BY_PLURAL["namespaces"]), {"metadata": {"name": "n"}}, Options())
    body = {"metadata": {"name": "p"}, "spec": template()["spec"]}
    registry.create(store, Target(resources.BY_PLURAL["pods"], "n"), body, Options())
    settle(store)
    registry.delete(store, Target(resources.BY_PLURAL["namespaces"], "", "n"), {}, dry_run=False)
    settle(store)
    assert store.get("namespaces", "", "n")["status"]["phase"] == "Terminating"
    store.delete("pods", "n", "p")  # as the kubelet does when the containers have stopped
    settle(store)
    assert "n" not in [found["metadata"]["name"] for found in store.list("namespaces")]
    assert store.list("pods", "n") == []


def test_a_pod_that_is_too_large_stays_pending_and_says_why(store: Store) -> None:
    spec = template()["spec"]
    spec["containers"][0]["resources"] = {"requests": {"cpu": "64"}}
    create(store, "pods", "big", spec)
    pod = store.get("pods", "default", "big")
    message = (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are"
        " available: 1 Preemption is not helpful for scheduling."
    )
    condition = pod["status"]["conditions"][0]
    assert (condition["reason"], condition["message"]) == ("Unschedulable", message)
    assert [(e["reason"], e["message"]) for e in store.list("events")] == [("FailedScheduling", message)]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, "1 node(s) didn't match Pod's node affinity/selector"),
        (
            {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "no"}}]},
            'persistentvolumeclaim "no" not found',
        ),
    ],
)
def test_other_reasons_to_wait(store: Store, spec: Object, reason: str) -> None:
    create(store, "pods", "p", template()["spec"] | spec)
    message = store.get("pods", "default", "p")["status"]["conditions"][0]["message"]
    assert message.startswith(f"0/1 nodes are available: {reason}. ")


def test_a_gated_pod_waits(store: Store) -> None:
    create(store, "pods", "p", template()["spec"] | {"schedulingGates": [{"name": "a.b/c"}]})
    pod = store.get("pods", "default", "p")
    assert "nodeName" not in pod["spec"]
    assert pod["status"]["conditions"][0]["reason"] == "SchedulingGated"


def test_init_containers_count_by_the_largest_and_sidecars_in_the_sum() -> None:
    def container(cpu: str, **more: str) -> Object:
        return {"resources": {"requests": {"cpu": cpu}}} | more

    spec = {"containers": [container("1")], "initContainers": [container("3"), container("1", restartPolicy="Always")]}
    assert requested({"spec": spec})["cpu"] == 3


def endpoint_of(store: Store) -> Object:
    found: Object = store.list("endpointslices", "default")[0]["endpoints"][0]["conditions"]
    return found


@pytest.mark.parametrize(("published", "ready"), [(False, False), (True, True)])
def test_a_pod_that_is_not_ready_is_in_the_slice_but_gets_no_traffic(
    store: Store, published: bool, ready: bool
) -> None:
    orphan(store, "p", app="x")
    set_phase(store, "p", "Running", ready=False)
    ports = [{"port": 80, "targetPort": 8080}]
    create(store, "services", "s", {"selector": {"app": "x"}, "ports": ports, "publishNotReadyAddresses": published})
    assert endpoint_of(store) == {"ready": ready, "serving": False, "terminating": False}
    subset = store.get("endpoints", "default", "s")["subsets"][0]
    assert ("addresses" in subset, "notReadyAddresses" in subset) == (ready, not ready)
    set_phase(store, "p", "Running", ready=True)
    assert endpoint_of(store) == {"ready": True, "serving": True, "terminating": False}
    delete(store, "services", "s")
    assert names(store, "endpointslices") == [] == names(store, "endpoints")
