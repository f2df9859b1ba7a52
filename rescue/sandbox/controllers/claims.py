"""PersistentVolumeClaims and PersistentVolumes: who gets whom (pkg/controller/volume/persistentvolume)."""

from rescue.sandbox.events import record_once
from rescue.sandbox.objects import Object
from rescue.sandbox.storage.matching import NO_PROVISIONER, delays, match, names
from rescue.sandbox.storage.requests import ASKED, NODE
from rescue.sandbox.store import NotFound, Store

_COMPONENT = "persistentvolume-controller"
_BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
_NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
_FIRST_CONSUMER = "waiting for first consumer to be created before binding"
_EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system"
    " administrator. If volume creation is delayed, please verify that the provisioner is running and correctly"
    " registered."
)


def reconcile(store: Store) -> None:
    """Bind the claims that have a volume, ask for one where there is none, release volumes of claims that are gone."""
    for volume in store.list("persistentvolumes"):
        _keep_phase(store, volume)
    for claim in store.list("persistentvolumeclaims"):
        if claim["status"].get("phase") == "Bound":
            _check_bound(store, claim)
        elif "deletionTimestamp" not in claim["metadata"]:
            _find(store, claim)


def _keep_phase(store: Store, volume: Object) -> None:
    reference = volume["spec"].get("claimRef")
    phase = volume.get("status", {}).get("phase")
    if not reference:
        wanted = "Available"
    elif not reference.get("uid") or _claim_of(store, reference):
        wanted = phase if phase == "Bound" else "Available"
    else:
        wanted = "Released"
    if wanted != phase:
        volume["status"] = volume.get("status", {}) | {"phase": wanted}
        store.update("persistentvolumes", volume)


def _claim_of(store: Store, reference: Object) -> Object | None:
    try:
        claim = store.get("persistentvolumeclaims", reference["namespace"], reference["name"])
    except NotFound:
        return None
    return claim if claim["metadata"]["uid"] == reference["uid"] else None


def _check_bound(store: Store, claim: Object) -> None:
    try:
        store.get("persistentvolumes", "", claim["spec"]["volumeName"])
    except NotFound:
        claim["status"] = {"phase": "Lost"}
        store.update("persistentvolumeclaims", claim)
        text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        record_once(store, claim, "ClaimLost", text, "Warning", _COMPONENT)


def _find(store: Store, claim: Object) -> None:
    volume = match(store, claim)
    annotations = claim["metadata"].get("annotations") or {}
    if volume is not None and (NODE in annotations or names(volume, claim) or not delays(store, claim)):
        _bind(store, claim, volume)
    elif claim["spec"].get("volumeName"):
        return  # The volume that the user wants may still come.
    elif delays(store, claim) and NODE not in annotations:
        record_once(store, claim, "WaitForFirstConsumer", _FIRST_CONSUMER, "Normal", _COMPONENT)
    elif claim["spec"].get("storageClassName"):
        _ask(store, claim)
    else:
        record_once(store, claim, "FailedBinding", _NO_CLASS, "Normal", _COMPONENT)


def _ask(store: Store, claim: Object) -> None:
    name = claim["spec"]["storageClassName"]
    try:
        provisioner = store.get("storageclasses", "", name)["provisioner"]
    except NotFound:
        text = f'storageclass.storage.k8s.io "{name}" not found'
        record_once(store, claim, "ProvisioningFailed", text, "Warning", _COMPONENT)
        return
    if provisioner == NO_PROVISIONER:
        return
    claim["metadata"].setdefault("annotations", {})[ASKED] = provisioner
    store.update("persistentvolumeclaims", claim)
    record_once(store, claim, "ExternalProvisioning", _EXTERNAL.format(provisioner), "Normal", _COMPONENT)


def _bind(store: Store, claim: Object, volume: Object) -> None:
    meta = claim["metadata"]
    reference = {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion")}
    if not volume["spec"].get("claimRef", {}).get("uid"):
        volume["metadata"].setdefault("annotations", {})[_BY_CONTROLLER] = "yes"
        volume["spec"]["claimRef"] = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"} | reference
    volume["status"] = {"phase": "Bound"}
    store.update("persistentvolumes", volume)
    annotations = claim["metadata"].setdefault("annotations", {})
    annotations[_BIND_COMPLETED] = "yes"
    if not claim["spec"].get("volumeName"):
        annotations[_BY_CONTROLLER] = "yes"
    claim["spec"]["volumeName"] = volume["metadata"]["name"]
    claim["status"] = {
        "phase": "Bound",
        "accessModes": volume["spec"]["accessModes"],
        "capacity": volume["spec"]["capacity"],
    }
    store.update("persistentvolumeclaims", claim)
