"""Claims, volumes and disks: who is bound to what, what is cloned, and what a pod waits for."""

from pathlib import Path
from typing import Any

import pytest

from rescue.sandbox import registry, resources
from rescue.sandbox.controllers import settle
from rescue.sandbox.objects import Object
from rescue.sandbox.registry import Target
from rescue.sandbox.status import ApiError
from rescue.sandbox.storage.disks import Disks
from rescue.sandbox.storage.provisioner import Provisioner
from rescue.sandbox.storage.requests import DRIVER
from rescue.sandbox.store import Store
from tests.sandbox.plain import create, delete, end, events, names, node, refusal, template

NO_STATE = ". not found"


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path)


async def provision(store: Store, disks: Disks) -> None:
    """What the controllers and the provisioner do until all is done that can be."""
    for _ in range(2):
        settle(store)
        await Provisioner(store, disks).once()
    settle(store)


def claim_spec(size: str = "1Gi", *modes: str, **more: Any) -> Object:
    wanted = {"accessModes": list(modes or ("ReadWriteOnce",)), "resources": {"requests": {"storage": size}}}
    return wanted | more


def claim_of(store: Store, name: str) -> Object:
    return store.get("persistentvolumeclaims", "default", name)


def cloned_from(name: str, size: str = "1Gi", **more: Any) -> Object:
    return claim_spec(size, dataSource={"kind": "PersistentVolumeClaim", "name": name}, **more)


def ephemeral(spec: Object, **metadata: Any) -> Object:
    """A pod's spec with a generic ephemeral volume ``d``."""
    claim = {"spec": spec} | ({"metadata": metadata} if metadata else {})
    return pod_spec({"name": "d", "ephemeral": {"volumeClaimTemplate": claim}})


def using(claim: str, **more: Any) -> Object:
    return pod_spec({"name": "d", "persistentVolumeClaim": {"claimName": claim} | more})


def pod_spec(volume: Object) -> Object:
    spec: Object = template(volumes=[volume])["spec"]
    return spec


def disk_of(store: Store, disks: Disks, claim: str) -> Path:
    volume = store.get("persistentvolumes", "", claim_of(store, claim)["spec"]["volumeName"])
    return disks.path(volume["spec"]["csi"]["volumeHandle"])


async def test_a_claim_gets_a_disk_of_the_default_class(store: Store, disks: Disks) -> None:
    create(store, "persistentvolumeclaims", "data", claim_spec("2Gi"))
    assert claim_of(store, "data")["status"] == {"phase": "Pending"}
    await provision(store, disks)
    claim = claim_of(store, "data")
    assert claim["spec"]["storageClassName"] == "standard"
    assert claim["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}}
    assert disk_of(store, disks, "data").is_dir()
    assert [reason for reason, _ in events(store, "data")] == [
        "ExternalProvisioning", "Provisioning", "ProvisioningSucceeded",
    ]  # fmt: skip


async def test_a_claim_without_a_class_that_can_serve_it_says_so(store: Store, disks: Disks) -> None:
    create(store, "persistentvolumeclaims", "none", claim_spec(storageClassName=""))
    create(store, "persistentvolumeclaims", "typo", claim_spec(storageClassName="standart"))
    await provision(store, disks)
    no_class = "no persistent volumes available for this claim and no storage class is set"
    assert events(store, "none") == [("FailedBinding", no_class)]
    assert events(store, "typo") == [("ProvisioningFailed", 'storageclass.storage.k8s.io "standart" not found')]


def test_a_claim_takes_the_smallest_free_volume_that_is_large_enough(store: Store) -> None:
    for name, size in (("small", "1Gi"), ("fitting", "5Gi"), ("large", "50Gi")):
        spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce", "ReadWriteMany"]}
        create(store, "persistentvolumes", name, spec | {"hostPath": {"path": f"/srv/{name}"}})
    create(store, "persistentvolumeclaims", "data", claim_spec("2Gi", storageClassName=""))
    assert claim_of(store, "data")["spec"]["volumeName"] == "fitting"
    phases = {volume["metadata"]["name"]: volume["status"]["phase"] for volume in store.list("persistentvolumes")}
    assert phases == {"small": "Available", "fitting": "Bound", "large": "Available"}


async def test_a_deleted_claim_takes_its_disk_with_it(store: Store, disks: Disks) -> None:
    create(store, "persistentvolumeclaims", "data", claim_spec())
    await provision(store, disks)
    disk = disk_of(store, disks, "data")
    delete(store, "persistentvolumeclaims", "data")
    await provision(store, disks)
    assert names(store, "persistentvolumeclaims", leaving=True) == []
    assert store.list("persistentvolumes") == []
    assert not disk.exists()


async def test_a_claim_in_use_stays_until_its_pod_is_gone(store: Store, disks: Disks) -> None:
    create(store, "persistentvolumeclaims", "data", claim_spec())
    await provision(store, disks)
    create(store, "pods", "p", using("data"))
    delete(store, "persistentvolumeclaims", "data")
    assert names(store, "persistentvolumeclaims") == []
    assert names(store, "persistentvolumeclaims", leaving=True) == ["data"]
    create(store, "pods", "late", using("data"))
    text = '0/1 nodes are available: persistentvolumeclaim "data" is being deleted'
    assert refusal(store, "late") == text + NO_STATE
    end(store, "p")
    assert names(store, "persistentvolumeclaims", leaving=True) == []


async def test_an_ephemeral_volume_makes_a_claim_that_the_pod_owns(store: Store, disks: Disks) -> None:
    create(store, "pods", "p", ephemeral(claim_spec("3Gi"), labels={"a": "b"}, annotations={"c": "d"}))
    claim = claim_of(store, "p-d")
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "controller": True, "blockOwnerDeletion": True}
    uid = store.get("pods", "default", "p")["metadata"]["uid"]
    assert claim["metadata"]["ownerReferences"] == [owner | {"uid": uid}]
    assert claim["metadata"]["labels"] == {"a": "b"}
    assert claim["metadata"]["annotations"]["c"] == "d"
    assert claim["spec"]["resources"] == {"requests": {"storage": "3Gi"}}
    await provision(store, disks)
    assert refusal(store, "p") == ""
    assert [text for reason, text in events(store, "p") if reason == "FailedScheduling"] == [
        "0/1 nodes are available: waiting for ephemeral volume controller to create the"
        f' persistentvolumeclaim "p-d"{NO_STATE}',
        f"0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims{NO_STATE}",
    ]


async def test_an_ephemeral_claim_goes_with_its_pod(store: Store, disks: Disks) -> None:
    create(store, "pods", "p", ephemeral(claim_spec()))
    await provision(store, disks)
    disk = disk_of(store, disks, "p-d")
    delete(store, "pods", "p")
    assert names(store, "persistentvolumeclaims") == ["p-d"], "the pod still ends"
    end(store, "p")
    await provision(store, disks)
    assert names(store, "persistentvolumeclaims", leaving=True) == []
    assert not disk.exists()


def test_a_claim_of_somebody_else_is_never_taken_for_an_ephemeral_volume(store: Store) -> None:
    create(store, "persistentvolumeclaims", "p-d", claim_spec())
    create(store, "pods", "p", ephemeral(claim_spec()))
    why = "PVC default/p-d was not created for pod default/p (pod is not owner)"
    assert refusal(store, "p") == f"0/1 nodes are available: {why}{NO_STATE}"
    assert ("FailedBinding", f"ephemeral volume d: {why}") in events(store, "p")
    assert "ownerReferences" not in claim_of(store, "p-d")["metadata"]


def test_a_quota_on_claims_keeps_an_ephemeral_volume_from_coming(store: Store) -> None:
    create(store, "resourcequotas", "q", {"hard": {"persistentvolumeclaims": "0"}})
    create(store, "pods", "p", ephemeral(claim_spec()))
    why = "exceeded quota: q, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0"
    text = f'ephemeral volume d: create PVC p-d: persistentvolumeclaims "p-d" is forbidden: {why}'
    assert ("FailedBinding", f"{text}, limited: persistentvolumeclaims=0") in events(store, "p")


async def test_a_clone_has_a_copy_of_its_source(store: Store, disks: Disks) -> None:
    create(store, "persistentvolumeclaims", "data", claim_spec())
    await provision(store, disks)
    source = disk_of(store, disks, "data")
    (source / "deep").mkdir()
    (source / "deep" / "file").write_text("precious")
    (source / "deep" / "file").chmod(0o640)
    (source / "link").symlink_to("deep/file")
    create(store, "pods", "p", ephemeral(cloned_from("data", "2Gi")))
    reference = {"kind": "PersistentVolumeClaim", "name": "data"}
    assert claim_of(store, "p-d")["spec"]["dataSourceRef"] == reference
    await provision(store, disks)
    copy = disk_of(store, disks, "p-d")
    assert (copy / "link").read_text() == "precious"
    assert (copy / "deep" / "file").stat().st_mode & 0o777 == 0o640
    (copy / "deep" / "file").write_text("changed")
    assert (source / "deep" / "file").read_text() == "precious"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (
            cloned_from("none"),
            'error getting PVC none (namespace "default") from api server: persistentvolumeclaim "none" not found',
        ),
        (
            cloned_from("data", "1Mi"),
            "error, new PVC request must be greater than or equal in size to the specified PVC data source,"
            " requested 1048576 but source is 1073741824",
        ),
        (
            cloned_from("open"),
            "the PVC DataSource open must have a status of Bound.  Got {Pending [] map[] [] map[] map[] <nil> <nil>}",
        ),
        (cloned_from("manual"), "claim in dataSource not bound or invalid"),
    ],
    ids=["missing", "smaller", "unbound", "another driver"],
)
async def test_a_clone_that_cannot_be_stays_pending_and_says_why(
    store: Store, disks: Disks, spec: Object, why: str
) -> None:
    create(store, "persistentvolumeclaims", "data", claim_spec())
    volume = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/srv"}}
    create(store, "persistentvolumes", "pv", volume | {"storageClassName": "by-hand"})
    create(store, "persistentvolumeclaims", "manual", claim_spec(storageClassName="by-hand"))
    create(store, "persistentvolumeclaims", "open", claim_spec(storageClassName="none"))
    await provision(store, disks)
    create(store, "persistentvolumeclaims", "copy", spec)
    await provision(store, disks)
    assert claim_of(store, "copy")["status"] == {"phase": "Pending"}
    source = spec["dataSource"]["name"]
    handle = f"error getting handle for DataSource Type PersistentVolumeClaim by Name {source}: {why}"
    text = f'failed to provision volume with StorageClass "standard": {handle}'
    assert ("ProvisioningFailed", text) in events(store, "copy")


def storage_class(store: Store, name: str, mode: str = "Immediate", **parameters: str) -> None:
    target = Target(resources.BY_PLURAL["storageclasses"])
    body = {"metadata": {"name": name}, "provisioner": DRIVER, "volumeBindingMode": mode, "parameters": parameters}
    registry.create(store, target, body, registry.Options(field_validation="Strict"))


async def test_a_driver_may_refuse_to_clone_or_not_know_of_it(store: Store, disks: Disks) -> None:
    storage_class(store, "refuses", cloning="no")
    storage_class(store, "ignores", cloning="ignored")
    create(store, "persistentvolumeclaims", "data", claim_spec())
    await provision(store, disks)
    (disk_of(store, disks, "data") / "file").touch()
    for name in ("refuses", "ignores"):
        create(store, "persistentvolumeclaims", name, cloned_from("data", storageClassName=name))
    await provision(store, disks)
    assert claim_of(store, "refuses")["status"]["phase"] == "Pending"
    assert "CLONE_VOLUME capability is not supported" in events(store, "refuses")[-1][1]
    assert list(disk_of(store, disks, "ignores").iterdir()) == []


async def test_a_class_may_wait_for_the_first_consumer(store: Store, disks: Disks) -> None:
    storage_class(store, "wait", "WaitForFirstConsumer")
    create(store, "persistentvolumeclaims", "data", claim_spec(storageClassName="wait"))
    await provision(store, disks)
    waits = ("WaitForFirstConsumer", "waiting for first consumer to be created before binding")
    assert events(store, "data") == [waits]
    create(store, "pods", "p", using("data"))
    assert "nodeName" not in store.get("pods", "default", "p")["spec"]
    assert claim_of(store, "data")["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "node1"
    await provision(store, disks)
    assert store.get("pods", "default", "p")["spec"]["nodeName"] == "node1"
    assert [reason for reason, _ in events(store, "p")] == ["Scheduled"]


async def test_a_claim_for_one_pod_keeps_a_second_one_waiting(store: Store, disks: Disks) -> None:
    create(store, "persistentvolumeclaims", "data", claim_spec("1Gi", "ReadWriteOncePod"))
    await provision(store, disks)
    create(store, "pods", "first", using("data"))
    create(store, "pods", "second", using("data"))
    assert refusal(store, "second").startswith(
        "0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name"
        " and ReadWriteOncePod access mode. "
    )
    end(store, "first")
    assert refusal(store, "second") == ""


def test_a_volume_that_is_on_another_node_is_out_of_reach(store: Store) -> None:
    store.create("nodes", node("node2", unschedulable=True))
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["node2"]}]}
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "local": {"path": "/srv"}}
    affinity = {"required": {"nodeSelectorTerms": [term]}}
    create(store, "persistentvolumes", "pv", spec | {"nodeAffinity": affinity, "storageClassName": "local"})
    create(store, "persistentvolumeclaims", "data", claim_spec(storageClassName="local"))
    create(store, "pods", "p", using("data"))
    assert refusal(store, "p").startswith(
        "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity,"
        " 1 node(s) were unschedulable."
    )


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (claim_spec() | {"accessModes": []}, "spec.accessModes: Required value: at least 1 access mode is required"),
        (claim_spec() | {"resources": {}}, "spec.resources[storage]: Required value"),
        (claim_spec("0"), 'spec.resources[storage]: Invalid value: "0": must be greater than zero'),
        (
            claim_spec("1Gi", "ReadWriteOncePod", "ReadWriteMany"),
            "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
        ),
        (
            cloned_from("a") | {"dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "b"}},
            "spec: Invalid value: ",
        ),
        (
            claim_spec(dataSource={"kind": "ConfigMap", "name": "a"}),
            "spec.dataSource: Invalid value: \"ConfigMap\": must be 'PersistentVolumeClaim' when referencing the"
            " default apiGroup",
        ),
    ],
)
def test_a_wrong_claim_is_refused_also_as_a_template(store: Store, spec: Object, complaint: str) -> None:
    with pytest.raises(ApiError) as refused:
        create(store, "persistentvolumeclaims", "data", spec)
    assert complaint in refused.value.message
    with pytest.raises(ApiError) as refused:
        create(store, "pods", "p", ephemeral(spec))
    assert f"spec.volumes[0].ephemeral.volumeClaimTemplate.{complaint}" in refused.value.message


def test_a_claim_template_has_labels_and_annotations_only(store: Store) -> None:
    with pytest.raises(ApiError, match=r"volumeClaimTemplate.metadata.name: Forbidden: cannot be set"):
        create(store, "pods", "p", ephemeral(claim_spec(), name="mine"))
