"""From a URL path to what it names."""

from rescue.sandbox import resources
from rescue.sandbox.registry import Target
from rescue.sandbox.status import no_such_path

# Below a namespace these are the namespace's own; any other word is a resource in it.
_OF_NAMESPACE = ("status", "finalize")


def parse(path: str) -> Target:
    """The target of ``/api/v1/...`` or ``/apis/GROUP/VERSION/...``; ApiError 404 for anything else."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        group, version, rest = "", parts[1] if len(parts) > 1 else "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 2:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise no_such_path()
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in _OF_NAMESPACE:
        namespace, rest = rest[1], rest[2:]
    return _target(group, version, namespace, rest)


def _target(group: str, version: str, namespace: str, rest: list[str]) -> Target:
    found = resources.find(group, version, rest[0]) if 1 <= len(rest) <= 3 else None
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if found is None or (namespace and not found.namespaced):
        raise no_such_path()
    if found.namespaced and name and not namespace:
        raise no_such_path()
    if subresource and subresource not in found.subresources:
        raise no_such_path()
    return Target(found, namespace, name, subresource)
