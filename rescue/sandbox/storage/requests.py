"""What a claim asks of the provisioner: which class, which source, and what is wrong with it.

The checks and words are those of the external provisioner (kubernetes-csi/external-provisioner, getPVCSource).
"""

from dataclasses import dataclass
from math import ceil

from rescue import quantity
from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store

# The sandbox's driver.  Parameters of a StorageClass with it make it behave as others do:
#   cloning: "no" (refused), "ignored" (an empty disk, as from provisioners that know no data source);
#   delaySeconds: how long a disk takes.
DRIVER = "rescue.dev/sandbox"
ASKED = "volume.kubernetes.io/storage-provisioner"
NODE = "volume.kubernetes.io/selected-node"


class ProvisionError(Exception):
    """A disk cannot be made; the text follows ``failed to provision volume with StorageClass``."""


@dataclass(frozen=True)
class Request:
    """A disk to make; ``source`` is the handle of the disk to copy, or ""."""

    claim: Object
    storage_class: Object
    source: str = ""

    @property
    def handle(self) -> str:
        """The name of the volume and of its disk."""
        return f"pvc-{self.claim['metadata']['uid']}"

    @property
    def delay(self) -> float:
        """Seconds that the class's disks take."""
        return float(parameters(self.storage_class).get("delaySeconds", 0))


def parameters(storage_class: Object) -> dict[str, str]:
    """The class's parameters."""
    found: dict[str, str] = storage_class.get("parameters") or {}
    return found


def request_of(store: Store, claim: Object) -> Request:
    """What to make for a claim; ProvisionError."""
    storage_class = store.get("storageclasses", "", claim["spec"]["storageClassName"])
    source, mode = claim["spec"].get("dataSource"), parameters(storage_class).get("cloning", "yes")
    if not source or mode == "ignored":
        return Request(claim, storage_class)
    if mode == "no":
        raise ProvisionError(
            "CSI driver does not support clone operations: plugin CLONE_VOLUME capability is not supported"
        )
    try:
        return Request(claim, storage_class, _handle(store, claim, source["name"]))
    except ProvisionError as error:
        name = f"{source['kind']} by Name {source['name']}"
        raise ProvisionError(f"error getting handle for DataSource Type {name}: {error}") from None


def _handle(store: Store, claim: Object, name: str) -> str:
    namespace = claim["metadata"]["namespace"]
    try:
        source = store.get("persistentvolumeclaims", namespace, name)
    except NotFound:
        why = f'persistentvolumeclaim "{name}" not found'
        raise ProvisionError(f'error getting PVC {name} (namespace "{namespace}") from api server: {why}') from None
    _check(source, claim)
    try:
        volume = store.get("persistentvolumes", "", source["spec"]["volumeName"])
        csi = volume["spec"]["csi"]
    except (NotFound, KeyError):
        raise ProvisionError("claim in dataSource not bound or invalid") from None
    if csi["driver"] != DRIVER:
        raise ProvisionError("claim in dataSource not bound or invalid")
    return str(csi["volumeHandle"])


def _check(source: Object, claim: Object) -> None:
    name, status = source["metadata"]["name"], source.get("status", {})
    if status.get("phase") != "Bound":
        raise ProvisionError(f"the PVC DataSource {name} must have a status of Bound.  Got {_go(status)}")
    if source["metadata"].get("deletionTimestamp"):
        raise ProvisionError(f"the PVC DataSource {name} is currently being deleted")
    if not source["spec"].get("storageClassName"):
        raise ProvisionError(f"the source PVC ({name}) storageclass cannot be empty")
    wanted, there = _size(claim["spec"]), _size(source["spec"])
    if wanted < there:
        raise ProvisionError(
            "error, new PVC request must be greater than or equal in size to the specified PVC data source,"
            f" requested {wanted} but source is {there}"
        )
    if source["spec"].get("volumeMode") != claim["spec"].get("volumeMode"):
        raise ProvisionError("claim in dataSource not bound or invalid")


def _size(spec: Object) -> int:
    return ceil(quantity.parse(spec["resources"]["requests"]["storage"]))


def _go(status: Object) -> str:
    """The struct as Go's %v prints it, of which only the phase is ever set here."""
    return f"{{{status.get('phase', '')} [] map[] [] map[] map[] <nil> <nil>}}"
