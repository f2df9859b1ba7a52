"""Small pods for the kubelet's container tests, as the API server would store them."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from rescue.sandbox.kubelet import ExecSession, Kubelet
from rescue.sandbox.storage.requests import DRIVER
from rescue.sandbox.store import Object, Store

NODE = "node1"
NAMESPACE = "default"
# Of this test run alone: another one beside it removes its own.
IMAGE = f"localhost/rescue-kubelet-test:{os.getpid()}"
# Far more than anything takes on a busy machine; a test that waits this long has failed.
PATIENCE = 60.0


def container(name: str = "app", script: str = "sleep 1000", **fields: Any) -> Object:
    """A container that runs a shell script."""
    return {
        "name": name,
        "image": IMAGE,
        "command": ["sh", "-c", script],
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    } | fields


def pod(name: str, *containers: Object, **spec: Any) -> Object:
    """A pod bound to the node; without containers it has one that sleeps."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {
            "containers": list(containers) or [container()],
            "nodeName": NODE,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 1,
        }
        | spec,
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }


def config_map(name: str, data: dict[str, str]) -> Object:
    """A ConfigMap of the tests' namespace."""
    meta = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def bound_claim(store: Store, kubelet: Kubelet, name: str, *modes: str) -> None:
    """A claim with an empty disk."""
    modes = modes or ("ReadWriteOnce",)
    kubelet.disks.make(name)
    csi = {"driver": DRIVER, "volumeHandle": name}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}}
    store.create("persistentvolumes", volume | {"spec": {"accessModes": list(modes), "csi": csi}})
    meta = {"name": name, "namespace": NAMESPACE}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": {"volumeName": name}}
    store.create("persistentvolumeclaims", claim | {"status": {"phase": "Bound"}})


def service(name: str, address: str, port: int, target: int) -> Object:
    """A Service for the pods labelled ``app: name``."""
    spec = {
        "clusterIP": address,
        "selector": {"app": name},
        "ports": [{"port": port, "targetPort": target, "protocol": "TCP"}],
    }
    meta = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


async def until(store: Store, name: str, wanted: Callable[[Object], object]) -> Object:
    """The pod as soon as ``wanted`` is true of its status; TimeoutError."""
    watch = store.watch("pods")
    try:
        found = store.get("pods", NAMESPACE, name)
        async with asyncio.timeout(PATIENCE):
            while not (found["metadata"]["name"] == name and wanted(found["status"])):
                found = (await anext(watch)).object
        return found
    finally:
        watch.close()


async def gone(store: Store, name: str) -> None:
    """Return when the pod has been removed; TimeoutError."""
    watch = store.watch("pods")
    async with asyncio.timeout(PATIENCE):
        while any(p["metadata"]["name"] == name for p in store.list("pods")):
            await anext(watch)
    watch.close()


def running(status: Object) -> bool:
    """Whether all containers run."""
    return all("running" in entry["state"] for entry in status.get("containerStatuses", [{"state": {}}]))


def waiting(*reasons: str) -> Callable[[Object], bool]:
    """Whether the first container waits for one of the reasons."""

    def check(status: Object) -> bool:
        entries = status.get("containerStatuses", [])
        return bool(entries) and entries[0]["state"].get("waiting", {}).get("reason") in reasons

    return check


def terminated(status: Object) -> bool:
    """Whether the first container has ended once, and is not yet started again."""
    entries = status.get("containerStatuses", [])
    return bool(entries) and "terminated" in entries[0]["state"]


async def log(kubelet: Kubelet, target: Object, name: str = "app", **options: Any) -> bytes:
    """The whole log."""
    return b"".join([chunk async for chunk in kubelet.logs(target, name, **options)])


async def run(kubelet: Kubelet, target: Object, script: str, name: str = "app") -> str:
    """What a shell script prints on stdout in a container of the pod."""
    session = await kubelet.exec(target, name, ["sh", "-c", script])
    return (await collect(session)).get(1, b"").decode()


async def collect(session: ExecSession) -> dict[int, bytes]:
    """Everything that a command writes, by stream, after it has ended."""
    found: dict[int, bytes] = {}
    async with asyncio.timeout(PATIENCE):
        async for stream, data in session.output():
            found[stream] = found.get(stream, b"") + data
        found[0] = str(await session.wait()).encode()
    return found


def reasons(store: Store, name: str) -> list[tuple[str, str]]:
    """(type, reason) of the pod's events, in the order of their first time."""
    events = [e for e in store.list("events") if e["involvedObject"]["name"] == name]
    events.sort(key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))
    return [(event["type"], event["reason"]) for event in events]
