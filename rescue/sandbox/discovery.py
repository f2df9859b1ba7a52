"""What clients ask first: versions, groups, resources (both forms of discovery), and the OpenAPI index."""

import platform
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.schema import VERSION

Rows = Sequence[Resource]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
# subresource -> (kind, verbs) as the real server lists them.
_SUBRESOURCES = {
    "status": ("", ("get", "patch", "update")),
    "scale": ("Scale", ("get", "patch", "update")),
    "log": ("", ("get",)),
    "exec": ("PodExecOptions", ("create", "get")),
    "token": ("TokenRequest", ("create",)),
    "attach": ("PodAttachOptions", ("create", "get")),
    "ephemeralcontainers": ("", ("get", "patch", "update")),
}


def architecture() -> str:
    """This machine, as Kubernetes names it: amd64, arm64, ..."""
    machine = platform.machine()
    return _MACHINES.get(machine, machine)


def version() -> Object:
    """The answer of ``/version``."""
    major, minor = VERSION.split(".")
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": f"v{VERSION}.0+rescue-sandbox",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": f"linux/{architecture()}",
    }


def core_versions() -> Object:
    """The answer of ``/api``."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(rows: Rows) -> Object:
    """The answer of ``/apis``."""
    names = sorted({resource.group for resource in rows if resource.group})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, rows) for name in names]}


def group(name: str, rows: Rows) -> Object:
    """The answer of ``/apis/GROUP``; KeyError when there is none."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, rows)}


def _group(name: str, rows: Rows) -> Object:
    versions = list(dict.fromkeys(row.version for row in rows if row.group == name))
    if not versions or not name:
        raise KeyError(name)
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def resource_list(group_version: str, rows: Rows) -> Object:
    """The answer of ``/api/v1`` or ``/apis/GROUP/VERSION``; KeyError when there is none."""
    found = [resource for resource in rows if resource.api_version == group_version]
    if not found:
        raise KeyError(group_version)
    entries = [entry for resource in found for entry in _entries(resource)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": entries,
    }


def _entries(resource: Resource) -> Iterable[Object]:
    yield {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
        **({"shortNames": list(resource.short)} if resource.short else {}),
        **({"categories": list(resource.categories)} if resource.categories else {}),
    }
    for name in resource.subresources:
        kind, verbs = _SUBRESOURCES[name]
        yield {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **({"group": "autoscaling", "version": "v1"} if name == "scale" else {}),
            "kind": kind or resource.kind,
            "verbs": list(verbs),
        }


def aggregated(core: bool, rows: Rows) -> Object:
    """The answer of ``/api`` (core) or ``/apis`` to a client that accepts ``AGGREGATED``."""
    chosen = sorted((row for row in rows if (row.group == "") is core), key=attrgetter("group"))
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_aggregated_group(name, list(found)) for name, found in groupby(chosen, attrgetter("group"))],
    }


def _aggregated_group(name: str, rows: list[Resource]) -> Object:
    versions = list(dict.fromkeys(row.version for row in rows))
    return {
        "metadata": {"name": name} if name else {},
        "versions": [
            {
                "version": version,
                "resources": [_aggregated_resource(row) for row in rows if row.version == version],
                "freshness": "Current",
            }
            for version in versions
        ],
    }


def _aggregated_resource(resource: Resource) -> Object:
    return {
        "resource": resource.plural,
        "responseKind": _kind(resource, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
        **({"shortNames": list(resource.short)} if resource.short else {}),
        **({"categories": list(resource.categories)} if resource.categories else {}),
        "subresources": [
            {
                "subresource": name,
                "responseKind": _subresource_kind(resource, name),
                "verbs": list(_SUBRESOURCES[name][1]),
            }
            for name in resource.subresources
        ],
    }


def _kind(resource: Resource, kind: str) -> Object:
    return {"group": resource.group, "version": resource.version, "kind": kind}


def _subresource_kind(resource: Resource, name: str) -> Object:
    kind = _kind(resource, _SUBRESOURCES[name][0] or resource.kind)
    return kind | ({"group": "autoscaling"} if name == "scale" else {})
