"""Which volume is for which claim (pkg/controller/volume/persistentvolume/index.go)."""

from decimal import Decimal

from rescue import quantity
from rescue.sandbox import selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store

NO_PROVISIONER = "kubernetes.io/no-provisioner"


def delays(store: Store, claim: Object) -> bool:
    """Whether an unbound claim's class waits for the first consumer; a class that is missing does not."""
    try:
        storage_class = store.get("storageclasses", "", claim["spec"].get("storageClassName") or "")
    except NotFound:
        return False
    return bool(storage_class.get("volumeBindingMode") == "WaitForFirstConsumer")


def match(store: Store, claim: Object) -> Object | None:
    """The volume for an unbound claim: the one that it names or that names it, else the smallest that is free."""
    volumes = store.list("persistentvolumes", None, lambda volume: "deletionTimestamp" not in volume["metadata"])
    wanted = claim["spec"].get("volumeName")
    named = [v for v in volumes if names(v, claim) and wanted in (None, v["metadata"]["name"])]
    free = [v for v in volumes if not v["spec"].get("claimRef") and _suits(v, claim)]
    if wanted:
        free = [volume for volume in volumes if volume["metadata"]["name"] == wanted and not _taken(volume, claim)]
    return next(iter(named or sorted(free, key=_capacity)), None)


def names(volume: Object, claim: Object) -> bool:
    """Whether the volume is reserved for the claim."""
    reference, meta = volume["spec"].get("claimRef") or {}, claim["metadata"]
    same = (reference.get("namespace"), reference.get("name")) == (meta["namespace"], meta["name"])
    return same and reference.get("uid") in (None, "", meta["uid"])


def _taken(volume: Object, claim: Object) -> bool:
    return bool(volume["spec"].get("claimRef")) and not names(volume, claim)


def _suits(volume: Object, claim: Object) -> bool:
    spec, wanted = volume["spec"], claim["spec"]
    return (
        volume.get("status", {}).get("phase") == "Available"
        and (spec.get("storageClassName") or "") == (wanted.get("storageClassName") or "")
        and spec.get("volumeMode", "Filesystem") == wanted.get("volumeMode", "Filesystem")
        and set(wanted["accessModes"]) <= set(spec["accessModes"])
        and _capacity(volume) >= quantity.parse(wanted["resources"]["requests"]["storage"])
        and selectors.matches(selectors.requirements(wanted.get("selector", {})), selectors.labels_of(volume))
    )


def _capacity(volume: Object) -> Decimal:
    return quantity.parse(volume["spec"]["capacity"]["storage"])
