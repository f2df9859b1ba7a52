"""From a URL path to what it names."""

from rescue.sandbox import catalog
from rescue.sandbox.registry import Target
from rescue.sandbox.resources import RESOURCES, Resource
from rescue.sandbox.status import NoSuchPath, no_such_resource
from rescue.sandbox.store import Store

# Below a namespace these are the namespace's own; any other word is a resource in it.
_OF_NAMESPACE = ("status", "finalize")
_BUILT_IN = {(row.group, row.version) for row in RESOURCES}


def parse(store: Store, path: str) -> Target:
    """The target of ``/api/v1/...`` or ``/apis/GROUP/VERSION/...``; NoSuchPath or ApiError 404 for anything else."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        group, version, rest = "", parts[1] if len(parts) > 1 else "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 2:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise NoSuchPath
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in _OF_NAMESPACE:
        namespace, rest = rest[1], rest[2:]
    return _target(store, group, version, namespace, rest)


def _target(store: Store, group: str, version: str, namespace: str, rest: list[str]) -> Target:
    found = catalog.find(store, group, version, rest[0]) if 1 <= len(rest) <= 3 else None
    name, subresource = (*rest[1:], "", "")[:2]
    if found is None or not _leads(found, namespace, name, subresource):
        # Within a built-in group the server knows that it is asked for a resource.
        raise no_such_resource() if (group, version) in _BUILT_IN else NoSuchPath()
    return Target(found, namespace, name, subresource)


def _leads(found: Resource, namespace: str, name: str, subresource: str) -> bool:
    if namespace and not found.namespaced:
        return False
    if found.namespaced and name and not namespace:
        return False
    return not subresource or subresource in found.subresources
