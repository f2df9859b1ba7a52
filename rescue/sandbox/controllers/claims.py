"""PersistentVolumeClaims: the sandbox's storage class binds each claim to a volume of its own at once."""

from rescue.sandbox.bootstrap import STORAGE_CLASS
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store


def reconcile(store: Store) -> None:
    """Bind the pending claims of the storage class, and remove the volumes of claims that are gone."""
    claims = store.list("persistentvolumeclaims")
    for claim in claims:
        if claim["spec"].get("storageClassName") == STORAGE_CLASS and claim["status"].get("phase") == "Pending":
            _bind(store, claim)
    uids = {claim["metadata"]["uid"] for claim in claims}
    for volume in store.list("persistentvolumes"):
        if volume["spec"].get("claimRef", {}).get("uid", "") not in uids:
            store.delete("persistentvolumes", "", volume["metadata"]["name"])


def _bind(store: Store, claim: Object) -> None:
    meta, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{meta['uid']}"
    capacity = {"storage": spec.get("resources", {}).get("requests", {}).get("storage", "1Gi")}
    modes = spec.get("accessModes", ["ReadWriteOnce"])
    reference = {key: meta[key] for key in ("name", "namespace", "uid")}
    store.create(
        "persistentvolumes",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "accessModes": modes,
                "capacity": capacity,
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **reference},
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": STORAGE_CLASS,
                "volumeMode": "Filesystem",
            },
            "status": {"phase": "Bound"},
        },
    )
    claim["spec"]["volumeName"] = name
    claim["status"] = {"phase": "Bound", "accessModes": modes, "capacity": capacity}
    store.update("persistentvolumeclaims", claim)
