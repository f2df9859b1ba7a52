"""Claims as a container sees them, and volumes that cannot be mounted here."""

from typing import Any

import pytest

from rescue.sandbox.kubelet import Kubelet
from rescue.sandbox.store import Object, Store
from tests.sandbox.kubelet.pods import NAMESPACE, bound_claim, container, pod, run, running, until

pytestmark = pytest.mark.containers
MOUNTS: Any = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}


def claim_volume(name: str, **more: Any) -> Object:
    return {"name": "d", "persistentVolumeClaim": {"claimName": name} | more}


async def first_event(store: Store, name: str, volume: Object) -> tuple[str, str, str]:
    """(reason, message, component) of the first event about a new pod with a volume that cannot be mounted."""
    events = store.watch("events")
    store.create("pods", pod(name, container(**MOUNTS), volumes=[volume]))
    event = (await anext(events)).object
    events.close()
    return event["reason"], event["message"], event["source"]["component"]


async def test_a_claim_keeps_its_files_and_may_be_read_only(kubelet: Kubelet, store: Store) -> None:
    bound_claim(store, kubelet, "data")
    context = {"runAsUser": 1000, "fsGroup": 3000}
    store.create("pods", pod("writes", container(**MOUNTS), volumes=[claim_volume("data")], securityContext=context))
    found = await until(store, "writes", running)
    assert await run(kubelet, found, "echo kept > /d/file; stat -c %g /d/file") == "3000\n"
    store.create("pods", pod("reads", container(**MOUNTS), volumes=[claim_volume("data", readOnly=True)]))
    found = await until(store, "reads", running)
    assert await run(kubelet, found, "cat /d/file; touch /d/new 2>&1") == (
        "kept\ntouch: /d/new: Read-only file system\n"
    )


async def test_a_claim_of_many_nodes_is_not_given_to_the_group(kubelet: Kubelet, store: Store) -> None:
    bound_claim(store, kubelet, "shared", "ReadWriteMany")
    context = {"fsGroup": 3000}
    store.create("pods", pod("p", container(**MOUNTS), volumes=[claim_volume("shared")], securityContext=context))
    found = await until(store, "p", running)
    assert await run(kubelet, found, "stat -c %g /d") == "0\n"


async def test_a_pod_starts_when_its_claim_has_a_volume(kubelet: Kubelet, store: Store) -> None:
    place = "unmounted volumes=[d], unattached volumes=[], failed to process volumes=[d]: error processing PVC"
    why = 'failed to fetch PVC from API server: persistentvolumeclaim "late" not found'
    message = f"Unable to attach or mount volumes: {place} {NAMESPACE}/late: {why}"
    assert await first_event(store, "p", claim_volume("late")) == ("FailedMount", message, "kubelet")
    bound_claim(store, kubelet, "late")
    await until(store, "p", running)


async def test_a_disk_that_is_on_another_node_cannot_be_attached(kubelet: Kubelet, store: Store) -> None:
    bound_claim(store, kubelet, "data")
    store.create("pods", pod("there", container(**MOUNTS), volumes=[claim_volume("data")]) | {})
    other = pod("elsewhere", container(**MOUNTS), volumes=[claim_volume("data")])
    other["spec"]["nodeName"] = "node2"
    await until(store, "there", running)
    store.create("pods", other)
    message = 'Multi-Attach error for volume "data" Volume is already used by pod(s) elsewhere'
    found = await first_event(store, "here", claim_volume("data"))
    assert found == ("FailedAttachVolume", message, "attachdetach-controller")
    store.delete("pods", NAMESPACE, "elsewhere")
    await until(store, "here", running)


@pytest.mark.usefixtures("kubelet")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"csi": {"driver": "secrets.example.com"}},
            'MountVolume.NewMounter initialization failed for volume "d" : volume mode "Ephemeral" not supported by'
            " driver secrets.example.com (no CSIDriver object)",
        ),
        (
            {"flexVolume": {"driver": "example.com/flex"}},
            "Unable to attach or mount volumes: unmounted volumes=[d], unattached volumes=[], failed to process"
            ' volumes=[d]: failed to get Plugin from volumeSpec for volume "d" err=no volume plugin matched',
        ),
    ],
)
async def test_a_volume_without_a_driver_leaves_the_pod_creating(store: Store, source: Object, message: str) -> None:
    assert (await first_event(store, "p", {"name": "d"} | source))[:2] == ("FailedMount", message)
    status = store.get("pods", NAMESPACE, "p")["status"]
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}


@pytest.mark.usefixtures("kubelet")
async def test_a_known_csi_driver_that_is_not_on_the_node_is_named(store: Store) -> None:
    store.create("csidrivers", {"kind": "CSIDriver", "metadata": {"name": "secrets.example.com"}})
    found = await first_event(store, "p", {"name": "d", "csi": {"driver": "secrets.example.com"}})
    assert found[1] == (
        'MountVolume.SetUp failed for volume "d" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client:'
        " driver name secrets.example.com not found in the list of registered CSI drivers"
    )
