"""What must agree inside a manifest and what no schema says: names that are named, resources that add up."""

from collections.abc import Iterator
from typing import Any

from rescue import quantity
from rescue.model import JsonObject
from tests.shapes import containers

APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def mounts(pod: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Every volume mount, with the name of its container."""
    for container in containers(pod):
        for mount in container.get("volumeMounts") or ():
            yield container["name"], mount


def references(pod: JsonObject) -> Iterator[str]:
    """What names a container or a volume names one that is there, and only one."""
    names = [container["name"] for container in containers(pod)]
    there = [volume["name"] for volume in pod["spec"].get("volumes") or ()]
    for taken in {entry for group in (names, there) for entry in group if group.count(entry) > 1}:
        yield f"the name {taken} is there twice"
    yield from (f"container {where} mounts {m['name']}" for where, m in mounts(pod) if m["name"] not in there)
    for reference in _references("resourceFieldRef", _read_by_containers(pod)):
        if reference.get("containerName", names[0]) not in names:
            yield f"the resources of {reference['containerName']} are asked for, which is not there"
    for reference in _references("fileKeyRef", containers(pod)):
        if reference["volumeName"] not in there:
            yield f"a variable is read from volume {reference['volumeName']}"
    for key in pod["metadata"].get("annotations") or {}:
        if key.startswith(APPARMOR) and key.removeprefix(APPARMOR) not in names:
            yield f"it has the annotation {key}"


def _read_by_containers(pod: JsonObject) -> list[JsonObject]:
    """The containers, and the volumes that they mount: the kubelet makes no others."""
    used = {mount["name"] for _, mount in mounts(pod)}
    return [*containers(pod), *(v for v in pod["spec"].get("volumes") or () if v["name"] in used)]


def _references(kind: str, node: Any) -> Iterator[JsonObject]:
    """Every value of that key in a structure."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == kind)
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from _references(kind, item)


def sources(pod: JsonObject) -> Iterator[str]:
    """A variable and a volume have one source."""
    for volume in pod["spec"].get("volumes") or ():
        if len(volume) != 2:
            yield f"volume {volume['name']} has {len(volume) - 1} sources"
    for container in containers(pod):
        for variable in container.get("env") or ():
            if "value" in variable and "valueFrom" in variable:
                yield f"variable {variable['name']} of container {container['name']} has two sources"


def resources(pod: JsonObject) -> Iterator[str]:
    """The resources of the whole pod, where it has any, cover its containers (Kubernetes: KEP-2837)."""
    whole = pod["spec"].get("resources") or {}
    for kind, amount in (whole.get("requests") or {}).items():
        asked = sum(_amount(container, kind, "requests", "limits") for container in pod["spec"]["containers"])
        if asked > quantity.parse(amount):
            yield f"the containers request {asked} of {kind}, the pod {amount}"
    for kind, amount in (whole.get("limits") or {}).items():
        for container in containers(pod):
            if _amount(container, kind, "limits") > quantity.parse(amount):
                yield f"the {kind} limit of container {container['name']} is above the pod's {amount}"


def _amount(container: JsonObject, kind: str, *groups: str) -> Any:
    """The first amount of the groups, as a number; 0 when there is none."""
    found = container.get("resources") or {}
    return next((quantity.parse(found[group][kind]) for group in groups if kind in (found.get(group) or {})), 0)
