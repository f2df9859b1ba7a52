"""The published OpenAPI schemas of Kubernetes, as the package kubernetes-validate carries them."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from rescue.sandbox.resources import Resource

VERSION = "1.36"
_FOLDER = f"kubernetes-json-schema/v{VERSION}.0-local"
_REF = "#/$defs/"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

Schema = dict[str, Any]


@cache
def definitions() -> dict[str, Schema]:
    """Every definition by its full name (``io.k8s.api.core.v1.Pod``)."""
    text = files("kubernetes_validate").joinpath(_FOLDER, "_definitions.json").read_text("utf-8")
    found: dict[str, Schema] = json.loads(text)["$defs"]
    return found


@cache
def _names_by_kind() -> dict[tuple[str, str, str], str]:
    names = {}
    for name, schema in definitions().items():
        for gvk in schema.get("x-kubernetes-group-version-kind", []):
            names[gvk["group"], gvk["version"], gvk["kind"]] = name
    return names


def definition_of(resource: Resource) -> str:
    """The definition's name of a resource's kind; KeyError for one that is not published."""
    return _names_by_kind()[resource.group, resource.version, resource.kind]


def reference(schema: Schema) -> str | None:
    """The definition that a property refers to, if it does."""
    ref = schema.get("$ref")
    return ref.removeprefix(_REF) if ref else None


def resolved(schema: Schema) -> Schema:
    """The property's schema, behind its reference if it has one."""
    name = reference(schema)
    return definitions()[name] if name else schema


def properties(schema: Schema) -> dict[str, Schema]:
    """The fields of an object's schema."""
    found: dict[str, Schema] = resolved(schema).get("properties", {})
    return found


def description(path: str) -> str:
    """The text of one field: ``io.k8s.api.core.v1.PodStatus.podIP``."""
    name, _, field = path.rpartition(".")
    return str(definitions()[name]["properties"][field].get("description", ""))


def types(schema: Schema) -> Iterator[str]:
    """The JSON types that are allowed; none for a schema without any."""
    found = schema.get("type", [])
    yield from [found] if isinstance(found, str) else found
