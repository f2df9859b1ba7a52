"""The external provisioner: makes the disks that claims ask for, and removes those that are released."""

import asyncio
import contextlib
import logging

from rescue.sandbox.events import record
from rescue.sandbox.objects import Object
from rescue.sandbox.storage.disks import CopyError, Disks
from rescue.sandbox.storage.requests import ASKED, DRIVER, ProvisionError, Request, request_of
from rescue.sandbox.store import NotFound, Store

_log = logging.getLogger(__name__)
_COMPONENT = f"{DRIVER}_provisioner"
_PERIOD_SECONDS = 0.2
# After a failure, doubled each time.
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 1.0, 300.0


class Provisioner:
    """Looks at the store's claims and volumes; every disk is made in a task of its own."""

    def __init__(self, store: Store, disks: Disks) -> None:
        self._store = store
        self._disks = disks
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, int] = {}
        self._again: dict[str, float] = {}

    async def run(self) -> None:
        """Serve claims until cancelled."""
        try:
            while True:
                self._begin()
                await asyncio.sleep(_PERIOD_SECONDS)
        finally:
            for task in self._tasks.values():
                task.cancel()

    async def once(self) -> None:
        """Serve the claims that wait now, and wait for their disks."""
        self._begin()
        await asyncio.gather(*self._tasks.values())

    def _begin(self) -> None:
        made = {volume["metadata"]["name"] for volume in self._store.list("persistentvolumes")}
        now = asyncio.get_running_loop().time()
        for claim in self._store.list("persistentvolumeclaims", None, waits):
            uid = claim["metadata"]["uid"]
            if f"pvc-{uid}" not in made and uid not in self._tasks and self._again.get(uid, 0.0) <= now:
                self._tasks[uid] = asyncio.create_task(self._serve(claim))
        for volume in self._store.list("persistentvolumes", None, _unwanted):
            self._remove(volume)

    async def _serve(self, claim: Object) -> None:
        uid = claim["metadata"]["uid"]
        try:
            await self._provision(claim)
        except ProvisionError as error:
            self._fail(claim, str(error))
        except Exception:
            _log.exception("claim %s", claim["metadata"]["name"])
            self._fail(claim, "rpc error: code = Internal desc = see the sandbox's log")
        finally:
            del self._tasks[uid]

    async def _provision(self, claim: Object) -> None:
        meta = claim["metadata"]
        place = f"{meta['namespace']}/{meta['name']}"
        said = f'External provisioner is provisioning volume for claim "{place}"'
        record(self._store, claim, "Provisioning", said, "Normal", _COMPONENT)
        request = request_of(self._store, claim)
        await asyncio.sleep(request.delay)
        await self._make(request)
        self._store.create("persistentvolumes", volume_of(request))
        said = f"Successfully provisioned volume {request.handle}"
        record(self._store, claim, "ProvisioningSucceeded", said, "Normal", _COMPONENT)

    async def _make(self, request: Request) -> None:
        if not request.source:
            self._disks.make(request.handle)
            return
        try:
            await self._disks.copy(request.source, request.handle)
        except CopyError as error:
            raise ProvisionError(f"rpc error: code = Internal desc = {error}") from None

    def _fail(self, claim: Object, why: str) -> None:
        uid = claim["metadata"]["uid"]
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        wait = min(_FIRST_RETRY_SECONDS * 2 ** (failures - 1), _LAST_RETRY_SECONDS)
        self._again[uid] = asyncio.get_running_loop().time() + wait
        message = f'failed to provision volume with StorageClass "{claim["spec"]["storageClassName"]}": {why}'
        record(self._store, claim, "ProvisioningFailed", message, "Warning", _COMPONENT)

    def _remove(self, volume: Object) -> None:
        self._disks.remove(volume["spec"]["csi"]["volumeHandle"])
        with contextlib.suppress(NotFound):
            self._store.delete("persistentvolumes", "", volume["metadata"]["name"])


def waits(claim: Object) -> bool:
    """Whether a claim has been handed to our driver (by the controller of claims) and has no volume yet."""
    meta = claim["metadata"]
    annotations = meta.get("annotations") or {}
    open_ = not claim["spec"].get("volumeName") and "deletionTimestamp" not in meta
    return open_ and annotations.get(ASKED) == DRIVER


def volume_of(request: Request) -> Object:
    """The PersistentVolume of a made disk, reserved for its claim."""
    meta, spec = request.claim["metadata"], request.claim["spec"]
    reference = {key: meta[key] for key in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": request.handle, "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
            "csi": {"driver": DRIVER, "fsType": "ext4", "volumeHandle": request.handle},
            "persistentVolumeReclaimPolicy": request.storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": spec["storageClassName"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
        "status": {"phase": "Pending"},
    }


def _unwanted(volume: Object) -> bool:
    spec = volume["spec"]
    ours = spec.get("csi", {}).get("driver") == DRIVER
    released = volume.get("status", {}).get("phase") == "Released"
    return bool(ours and released and spec.get("persistentVolumeReclaimPolicy") == "Delete")
