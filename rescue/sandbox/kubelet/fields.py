"""What fieldRef and resourceFieldRef stand for, in variables and downward volumes alike; pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from math import ceil

from rescue.quantity import parse
from rescue.sandbox.store import Object

_SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")


def field_value(pod: Object, path: str) -> str:
    """The value at ``path`` of a pod (with its node, address and so on in the status)."""
    if match := _SUBSCRIPT.fullmatch(path):
        values: Mapping[str, str] = pod["metadata"].get(match.group(1).split(".")[1], {})
        return values.get(match.group(2), "")
    if path in ("metadata.labels", "metadata.annotations"):
        return _listed(pod["metadata"].get(path.split(".")[1], {}))
    return _plain(pod, path)


def resource_value(pod: Object, container: str, reference: Object, capacity: Mapping[str, str]) -> str:
    """A limit or request of a container in units of the divisor, rounded up.

    Without a limit it is the node's ``capacity``, as on a real node.
    """
    which, resource = str(reference["resource"]).split(".", 1)
    name = reference.get("containerName") or container
    resources = _container(pod, name).get("resources", {})
    found = resources.get(which, {}).get(resource)
    if found is None:
        found = capacity.get(resource, "0") if which == "limits" else "0"
    return str(ceil(parse(found) / _divisor(reference)))


def _divisor(reference: Object) -> Decimal:
    return parse(str(reference.get("divisor", "1"))) or Decimal(1)


def _container(pod: Object, name: str) -> Object:
    spec = pod["spec"]
    for container in spec.get("initContainers", []) + spec["containers"]:
        if container["name"] == name:
            found: Object = container
            return found
    return {}


def _listed(values: Mapping[str, str]) -> str:
    # Go's %q, which for plain text is a double-quoted string with backslash escapes.
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'

    return "\n".join(f"{key}={quoted(values[key])}" for key in sorted(values))


def _plain(pod: Object, path: str) -> str:
    if path == "status.podIPs":
        return ",".join(entry["ip"] for entry in pod.get("status", {}).get("podIPs", []))
    if path == "status.hostIPs":
        return ",".join(entry["ip"] for entry in pod.get("status", {}).get("hostIPs", []))
    value: object = pod
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value)
