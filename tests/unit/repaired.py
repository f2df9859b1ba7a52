"""Pods that a server would take, made from pods that only the schema allows.

The schema knows the shape of a pod, not what its parts say of each other: names that must be unique, mounts whose
volume must be there, requests below limits.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from rescue import quantity
from rescue.model import JsonObject

APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_OVERCOMMIT = ("cpu", "memory", "ephemeral-storage")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def _unique(items: Iterable[JsonObject], *fields: str) -> list[JsonObject]:
    """The items whose fields no item before them has."""
    kept: dict[tuple[Any, ...], JsonObject] = {}
    for item in items:
        kept.setdefault(tuple(item.get(field) for field in fields), item)
    return list(kept.values())


def containers(spec: JsonObject) -> Iterator[JsonObject]:
    """Every container of a pod's spec, init and ephemeral ones too."""
    for group in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(group, ())


def repaired(pod: JsonObject) -> JsonObject:
    """The pod, with what its parts say of each other made true; changed in place."""
    spec = pod["spec"]
    pod["metadata"] = {"name": "web-0", "namespace": "shop"} | pod.get("metadata", {}) | {"namespace": "shop"}
    spec["volumes"] = _unique(spec.get("volumes", ()), "name")
    spec["resourceClaims"] = _unique(spec.get("resourceClaims", ()), "name")
    _unlike_each_other(spec)
    for number, container in enumerate(containers(spec)):
        _container(number, container, spec)
    for container in spec.get("initContainers", ()):
        if container.get("restartPolicy") != "Always":
            _drop(container, "lifecycle", *_PROBES)
    _references(pod, [container["name"] for container in containers(spec)])
    for container in spec.get("ephemeralContainers", ()):
        _drop(container, "lifecycle", "ports", "resources", "resizePolicy", *_PROBES)
    _spec(spec)
    return pod


def _unlike_each_other(spec: JsonObject) -> None:
    """Give every container a name of its own."""
    for number, container in enumerate(containers(spec)):
        container["name"] = f"{container['name'][:50]}-{number}"


def _references(pod: JsonObject, names: list[str]) -> None:
    """Let what names a container name one that is there."""
    for selector in resource_fields(pod["spec"]):
        if "containerName" in selector:
            selector["containerName"] = names[len(selector["containerName"]) % len(names)]
    annotations = pod["metadata"].get("annotations", {})
    if "price" in annotations:
        annotations[APPARMOR + names[-1]] = "runtime/default"


def resource_fields(node: Any) -> Iterator[JsonObject]:
    """Every ``resourceFieldRef`` below."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "resourceFieldRef")
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from resource_fields(item)


def _drop(item: JsonObject, *fields: str) -> None:
    for field in fields:
        item.pop(field, None)


def _spec(spec: JsonObject) -> None:
    if "nodeName" in spec:
        _drop(spec, "schedulingGates")
    if "resources" in spec:
        spec["resources"] = _sums(spec)
    _drop(spec, "serviceAccount")
    for field in ("volumes", "resourceClaims"):
        if not spec[field]:
            del spec[field]


def _sums(spec: JsonObject) -> JsonObject:
    """Resources of a whole pod that are just enough for its containers."""
    asked = [container.get("resources", {}) for container in containers(spec)]
    limits = [each.get("limits", {}).get("memory", "0") for each in asked]
    requests = [each.get("requests", {}).get("memory", limit) for each, limit in zip(asked, limits, strict=True)]
    total = sum(map(quantity.parse, requests))
    most = max(total, *map(quantity.parse, limits))
    return {"requests": {"memory": str(total)}, "limits": {"memory": str(most)}}


def _container(number: int, container: JsonObject, spec: JsonObject) -> None:
    if "ports" in container:
        container["ports"] = _unique(container["ports"], "name")
    for place, port in enumerate(container.get("ports", ())):
        if "hostPort" in port or spec.get("hostNetwork"):
            # No two ask for the same; on the host's network it is the port itself.
            port["hostPort"] = port["containerPort"] = 1024 + 1000 * number + place
    if "resources" in container:
        _limited(container["resources"], [claim["name"] for claim in spec["resourceClaims"]])
    for variable in container.get("env", ()):
        if "value" in variable:
            _drop(variable, "valueFrom")
        _file_of_a_variable(variable.get("valueFrom", {}), spec["volumes"])
    if container.get("securityContext", {}).get("privileged"):
        _drop(container["securityContext"], "allowPrivilegeEscalation")
    _mounts(container, spec["volumes"])


def _file_of_a_variable(source: JsonObject, volumes: list[JsonObject]) -> None:
    """A variable that is read from a file has it on an emptyDir."""
    if "fileKeyRef" in source:
        source["fileKeyRef"]["volumeName"] = "files"
        if not any(volume["name"] == "files" for volume in volumes):
            volumes.append({"name": "files", "emptyDir": {}})


def _mounts(container: JsonObject, volumes: list[JsonObject]) -> None:
    """Point mounts and devices to volumes that are there; a volume is the one or the other."""
    claims = [volume["name"] for volume in volumes if {"persistentVolumeClaim", "ephemeral"} & volume.keys()]
    devices = _pointed(container.pop("volumeDevices", ()), claims[:1], "devicePath")
    taken = {device["name"] for device in devices}
    free = [volume["name"] for volume in volumes if volume["name"] not in taken]
    mounts = _pointed(container.pop("volumeMounts", ()), free, "mountPath")
    container |= {"volumeDevices": devices} if devices else {}
    container |= {"volumeMounts": mounts} if mounts else {}


def _pointed(uses: Iterable[JsonObject], volumes: list[str], path: str) -> list[JsonObject]:
    found = [use | {"name": volumes[number % len(volumes)]} for number, use in enumerate(uses) if volumes]
    return _unique(found, path)


def _limited(resources: JsonObject, claims: list[str]) -> None:
    """Requests below limits, or as them where nothing may be promised twice; claims that the pod has."""
    _drop(resources, "claims")
    if claims:
        resources["claims"] = [{"name": claims[0]}]
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for name, amount in requests.items():
        if name not in _OVERCOMMIT or quantity.parse(amount) > quantity.parse(limits.get(name, amount)):
            requests[name] = limits.setdefault(name, amount) if name not in _OVERCOMMIT else limits[name]
    if limits and "limits" not in resources:
        resources["limits"] = limits
