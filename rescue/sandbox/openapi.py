"""The OpenAPI v3 documents, as far as kubectl reads them.

``kubectl apply`` looks whether PATCH knows ``fieldValidation`` (then the server validates), and
``kubectl explain`` reads the schemas; both find here what they need, made from the published schemas.
"""

import json
from collections.abc import Sequence
from typing import Any

from rescue.sandbox import schema
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.schema import VERSION

_WRITE_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]
_GET_CONTENT = "application/json"


def index(rows: Sequence[Resource]) -> Object:
    """The answer of ``/openapi/v3``: one document per group and version."""
    roots = sorted({_root(resource) for resource in rows})
    return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}?hash={VERSION}"} for root in roots}}


def document(root: str, served: Sequence[Resource]) -> Object:
    """The document of ``api/v1`` or ``apis/apps/v1``; KeyError when there is none."""
    rows = [resource for resource in served if _root(resource) == root]
    if not rows:
        raise KeyError(root)
    paths = {path: item for row in rows for path, item in _paths(row)}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": f"v{VERSION}"},
        "paths": paths,
        "components": {"schemas": _schemas(rows)},
    }


def _root(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else "api/v1"


def _paths(resource: Resource) -> list[tuple[str, Object]]:
    scope = "namespaces/{namespace}/" if resource.namespaced else ""
    base = f"/{_root(resource)}/{scope}{resource.plural}"
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    definition = f"#/components/schemas/{_name(resource)}"
    answer = {"200": {"description": "OK", "content": {_GET_CONTENT: {"schema": {"$ref": definition}}}}}
    write = {"parameters": _WRITE_PARAMETERS, "responses": answer, "x-kubernetes-group-version-kind": gvk}
    read = {"responses": answer, "x-kubernetes-group-version-kind": gvk}
    return [
        (base, {"get": read, "post": write | {"x-kubernetes-action": "post"}}),
        (
            base + "/{name}",
            {
                "get": read,
                "put": write | {"x-kubernetes-action": "put"},
                "patch": write | {"x-kubernetes-action": "patch"},
            },
        ),
    ]


def _schemas(rows: list[Resource]) -> Object:
    wanted = [schema.definition_of(row) for row in rows if not row.custom]
    found: dict[str, Any] = {_name(row): _of_custom(row) for row in rows if row.custom}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _converted(schema.definitions()[name])
            wanted += _references(found[name])
    return found


def _name(resource: Resource) -> str:
    if resource.custom:
        return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
    return schema.definition_of(resource)


def _of_custom(resource: Resource) -> Object:
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return anything | {"x-kubernetes-group-version-kind": [gvk]}


def _converted(node: Any) -> Any:
    """A JSON schema of 2020-12 as OpenAPI 3.0 has it: one type, references under components."""
    if isinstance(node, list):
        return [_converted(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and "description" in node:
        return {"allOf": [_converted({"$ref": node["$ref"]})], "description": node["description"]}
    return {key: _converted_field(key, value) for key, value in node.items()}


def _converted_field(key: str, value: Any) -> Any:
    if key == "properties":  # names of fields, which may look like words of the schema
        return {name: _converted(field) for name, field in value.items()}
    if key == "$ref":
        return value.replace("#/$defs/", "#/components/schemas/")
    if key == "type" and isinstance(value, list):
        return next(item for item in value if item != "null")
    return _converted(value)


def _references(node: Any) -> list[str]:
    text = json.dumps(node)
    marker = '"#/components/schemas/'
    return [part.split('"', 1)[0] for part in text.split(marker)[1:]]
