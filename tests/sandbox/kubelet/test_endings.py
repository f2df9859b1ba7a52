"""How pods end: by their deadline, and by a deletion that a finalizer holds up."""

import pytest

from rescue.sandbox.kubelet import Kubelet
from rescue.sandbox.store import Object, Store
from tests.sandbox.kubelet.pods import NAMESPACE, container, gone, pod, reasons, running, until

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("kubelet")]

# The first process of a container is spared by signals that it does not expect.
MEEK = "trap 'exit 143' TERM; sleep 1000 & wait"


def ended(status: Object) -> bool:
    return bool(status["phase"] in ("Failed", "Succeeded"))


async def test_a_deadline_kills_the_containers_and_fails_the_pod(kubelet: Kubelet, store: Store) -> None:
    stubborn = container(script="trap '' TERM; while :; do sleep 1; done")
    store.create("pods", pod("late", stubborn, container("meek", MEEK), activeDeadlineSeconds=2))
    found = await until(store, "late", ended)
    status = found["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"
    codes = {entry["name"]: entry["state"]["terminated"]["exitCode"] for entry in status["containerStatuses"]}
    assert codes == {"app": 137, "meek": 143}
    assert ("Normal", "Killing") in reasons(store, "late")
    assert kubelet is not None


async def test_a_deadline_may_come_later_and_sooner(store: Store) -> None:
    store.create("pods", pod("patient", container(script="exec sleep 1000")))
    found = await until(store, "patient", running)
    found["spec"]["activeDeadlineSeconds"] = 1
    store.update("pods", found)
    assert (await until(store, "patient", ended))["status"]["reason"] == "DeadlineExceeded"


async def test_a_finalizer_keeps_a_pod_whose_containers_are_gone(store: Store) -> None:
    body = pod("held", container(script=MEEK))
    body["metadata"]["finalizers"] = ["example.com/hold"]
    store.create("pods", body)
    await until(store, "held", running)
    store.mark_deleted("pods", NAMESPACE, "held", 1)
    found = await until(store, "held", ended)
    status = found["status"]
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143
    found["metadata"]["labels"]["seen"] = "yes"
    store.update("pods", found)
    # What the kubelet said last stays: while it starts another pod, it does nothing to one that it has removed.
    store.create("pods", pod("next"))
    await until(store, "next", running)
    again = store.get("pods", NAMESPACE, "held")
    assert again["metadata"]["deletionGracePeriodSeconds"] == 0
    assert again["status"]["containerStatuses"] == status["containerStatuses"]
    again["metadata"]["finalizers"] = []
    store.update("pods", again)
    await gone(store, "held")
