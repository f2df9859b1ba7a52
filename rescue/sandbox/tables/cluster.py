"""The columns of the other kinds."""

from datetime import datetime
from typing import Any

from rescue.sandbox.objects import Object
from rescue.sandbox.tables.columns import AGE, NAME, Column, age, at, pairs, plain


def _size(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


_DATA = Column("Data", plain(_size), type="integer")


def _ports(service: Object) -> str:
    shown = [
        f"{port['port']}{':' + str(port['nodePort']) if port.get('nodePort') else ''}/{port['protocol']}"
        for port in service["spec"].get("ports", [])
    ]
    return ",".join(shown) or "<none>"


def _endpoints(obj: Object) -> str:
    shown = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets", [])
        for address in subset.get("addresses", [])
        for port in subset.get("ports") or [{"port": ""}]
    ]
    return ",".join(item.rstrip(":") for item in shown[:3]) or "<none>"


def _slice_addresses(obj: Object) -> str:
    return ",".join(a for e in obj.get("endpoints", []) for a in e["addresses"]) or "<unset>"


def _node_status(node: Object) -> str:
    ready = [c for c in node.get("status", {}).get("conditions", []) if c["type"] == "Ready"]
    text = "Ready" if ready and ready[0]["status"] == "True" else "NotReady" if ready else "Unknown"
    return text + (",SchedulingDisabled" if node.get("spec", {}).get("unschedulable") else "")


def _roles(node: Object) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels", {})
    return ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or "<none>"


def _node_address(kind: str) -> Any:
    def cell(node: Object, _: datetime) -> str:
        addresses = node.get("status", {}).get("addresses", [])
        return next((a["address"] for a in addresses if a["type"] == kind), "<none>")

    return cell


def _last_seen(event: Object, now: datetime) -> str:
    series = event.get("series", {})
    seen = series.get("lastObservedTime") or event.get("lastTimestamp")
    return age(seen or event.get("firstTimestamp") or event.get("eventTime"), now)


def _involved(event: Object) -> str:
    involved = event["involvedObject"]
    return f"{involved.get('kind', '').lower()}/{involved.get('name', '')}"


def _modes(claim: Object) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return ",".join(short.get(mode, mode) for mode in claim.get("status", {}).get("accessModes", []))


_INFO = "status.nodeInfo"

COLUMNS: dict[str, tuple[Column, ...]] = {
    "configmaps": (NAME, _DATA, AGE),
    "secrets": (NAME, Column("Type", at("type")), _DATA, AGE),
    "namespaces": (NAME, Column("Status", at("status.phase")), AGE),
    "serviceaccounts": (NAME, Column("Secrets", plain(lambda obj: len(obj.get("secrets", []))), type="integer"), AGE),
    "services": (
        NAME,
        Column("Type", at("spec.type")),
        Column("Cluster-IP", at("spec.clusterIP")),
        Column("External-IP", at("spec.externalName")),
        Column("Port(s)", plain(_ports)),
        AGE,
        Column("Selector", plain(lambda obj: pairs(obj["spec"].get("selector"))), priority=1),
    ),
    "endpoints": (NAME, Column("Endpoints", plain(_endpoints)), AGE),
    "endpointslices": (
        NAME,
        Column("AddressType", at("addressType")),
        Column("Ports", plain(lambda o: ",".join(str(p.get("port")) for p in o.get("ports") or []) or "<unset>")),
        Column("Endpoints", plain(_slice_addresses)),
        AGE,
    ),
    "nodes": (
        NAME,
        Column("Status", plain(_node_status)),
        Column("Roles", plain(_roles)),
        AGE,
        Column("Version", at(f"{_INFO}.kubeletVersion", "")),
        Column("Internal-IP", _node_address("InternalIP"), priority=1),
        Column("External-IP", _node_address("ExternalIP"), priority=1),
        Column("OS-Image", at(f"{_INFO}.osImage", "<unknown>"), priority=1),
        Column("Kernel-Version", at(f"{_INFO}.kernelVersion", "<unknown>"), priority=1),
        Column("Container-Runtime", at(f"{_INFO}.containerRuntimeVersion", "<unknown>"), priority=1),
    ),
    "events": (
        Column("Last Seen", _last_seen),
        Column("Type", at("type", "")),
        Column("Reason", at("reason", "")),
        Column("Object", plain(_involved)),
        Column("Subobject", at("involvedObject.fieldPath", ""), priority=1),
        Column("Source", at("source.component", ""), priority=1),
        Column("Message", plain(lambda event: event.get("message", "").strip())),
        Column("First Seen", lambda event, now: age(event.get("firstTimestamp") or event.get("eventTime"), now), "", 1),
        Column("Count", at("count", 1), "", 1),
        Column("Name", at("metadata.name"), "", 1),
    ),
    "persistentvolumeclaims": (
        NAME,
        Column("Status", at("status.phase", "")),
        Column("Volume", at("spec.volumeName", "")),
        Column("Capacity", at("status.capacity.storage", "")),
        Column("Access Modes", plain(_modes)),
        Column("StorageClass", at("spec.storageClassName", "")),
        Column("VolumeAttributesClass", at("spec.volumeAttributesClassName", "<unset>")),
        AGE,
        Column("VolumeMode", at("spec.volumeMode", "Filesystem"), priority=1),
    ),
}
