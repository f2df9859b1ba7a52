"""Reading a request's object as the server's decoder does: types are checked, unknown fields are dropped.

The published schemas say which fields there are; the messages are those of Go's JSON decoder.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

from rescue import quantity
from rescue.sandbox import schema
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.schema import Schema
from rescue.sandbox.status import ApiError, bad_request

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_GO_NAMES = {"string": "string", "boolean": "bool", "number": "float64", "integer": "int32"}
# A custom object is kept as it is: its definition's schema is not applied.
_METADATA_ONLY: Schema = {
    "properties": {"metadata": {"$ref": f"#/$defs/{schema.OBJECT_META}"}},
    "additionalProperties": {},
}


class _MalformedError(Exception):
    """A value that the decoder cannot take; the text is Go's."""


@dataclass
class _Reader:
    """What a walk over one object needs to know: where it is, and the unknown fields seen so far."""

    unknown: list[str] = field(default_factory=list)

    def value(self, value: Any, spec: Schema, path: str, owner: str) -> Any:
        name = schema.reference(spec)
        if name == _QUANTITY:
            return _quantity(value)
        if name == _INT_OR_STRING:
            return _int_or_string(value)
        found = schema.resolved(spec)
        allowed = set(schema.types(found)) - {"null"}
        if allowed and _json_type(value, allowed) not in allowed:
            raise _MalformedError(_mismatch(value, spec, path, owner))
        if isinstance(value, dict):
            return self.mapping(value, found, path, (name or owner).rsplit(".", 1)[-1])
        if isinstance(value, list):
            return self.items(value, found, path, owner)
        return _scalar(value, found)

    def mapping(self, value: Object, found: Schema, path: str, owner: str) -> Object:
        known = found.get("properties")
        rest = found.get("additionalProperties")
        if known is None and rest is None:
            return value
        read = {}
        for key, item in value.items():
            spec = (known or {}).get(key) or (rest if isinstance(rest, dict) else None)
            if spec is None:
                self.unknown.append(_join(path, key))
            elif item is not None:
                read[key] = self.value(item, spec, _join(path, key) if known else path, owner)
        return read

    def items(self, value: list[Any], found: Schema, path: str, owner: str) -> list[Any]:
        spec = found.get("items", {})
        return [self.value(item, spec, f"{path}[{index}]", owner) for index, item in enumerate(value)]


def parse_body(text: bytes, kind: str) -> Object:
    """The JSON object of a request; an ApiError 400 with the server's words when it is none."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        shown = text.decode("utf-8", "replace")
        why = f"couldn't get version/kind; json parse error: {_go_syntax_error(shown)} ({shown})"
        raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {why}") from None
    if not isinstance(value, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    return value


def decode(value: Object, resource: Resource) -> tuple[Object, list[str]]:
    """The object without unknown fields and nulls, and the paths of the unknown ones.

    ApiError 400 for another kind or a value of a wrong type.
    """
    kind = value.get("kind") or resource.kind
    version = value.get("apiVersion") or resource.api_version
    if (version, kind) != (resource.api_version, resource.kind):
        raise _wrong_kind(kind, version, resource)
    reader = _Reader()
    try:
        spec = _METADATA_ONLY if resource.custom else schema.definitions()[schema.definition_of(resource)]
        read = reader.mapping(value, spec, "", resource.kind)
    except _MalformedError as error:
        raise cannot_be_handled(resource, str(error)) from None
    return {"kind": kind, "apiVersion": version} | read, reader.unknown


def cannot_be_handled(resource: Resource, why: str) -> ApiError:
    """400: the decoder refused the object."""
    return bad_request(f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}')


def strict_error(resource: Resource, unknown: list[str]) -> ApiError:
    """400 by fieldValidation=Strict."""
    return cannot_be_handled(resource, f"strict decoding error: {', '.join(unknown_texts(unknown))}")


def unknown_texts(unknown: list[str]) -> list[str]:
    """How the server names unknown fields, in errors and warnings."""
    return [f'unknown field "{path}"' for path in unknown]


def _wrong_kind(kind: str, version: str, resource: Resource) -> ApiError:
    group_version = version.rpartition("/")[2]
    package = resource.group.split(".")[0] or "core"
    why = f"converting ({group_version}.{kind}) to ({package}.{resource.kind}): unknown conversion"
    return bad_request(f'{kind} in version "{group_version}" cannot be handled as a {resource.kind}: {why}')


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _json_type(value: Any, allowed: set[str]) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if "integer" in allowed else "number"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _mismatch(value: Any, spec: Schema, path: str, owner: str) -> str:
    seen = {"boolean": "bool", "integer": "number"}.get(found := _json_type(value, set()), found)
    if isinstance(value, float):
        seen = f"number {value}"
    plain = "".join(part.partition("]")[2] if "]" in part else part for part in path.split("["))
    return f"json: cannot unmarshal {seen} into Go struct field {owner}.{plain} of type {_go_type(spec)}"


def _go_type(spec: Schema) -> str:
    name = schema.reference(spec)
    found = schema.resolved(spec)
    kind = next((item for item in schema.types(found) if item != "null"), "object")
    if kind == "array":
        return "[]" + _go_type(found.get("items", {}))
    if kind == "object" and name:
        return "v1." + name.rsplit(".", 1)[-1]
    if kind == "object":
        return "map[string]" + _go_type(found.get("additionalProperties", {}))
    return str(found.get("format", _GO_NAMES[kind])) if kind == "integer" else _GO_NAMES[kind]


def _scalar(value: Any, found: Schema) -> Any:
    if found.get("format") == "byte":
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise _MalformedError("illegal base64 data at input byte 0") from None
    return value


def _quantity(value: Any) -> str:
    try:
        quantity.parse(value)
    except ValueError:
        raise _MalformedError(f"quantities must match the regular expression '{quantity.PATTERN}'") from None
    return str(value)


def _int_or_string(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _MalformedError("json: cannot unmarshal value into Go value of type intstr.IntOrString")
    return value


def _go_syntax_error(text: str) -> str:
    stripped = text.strip()
    decoder = json.JSONDecoder()
    try:
        decoder.raw_decode(stripped)
    except json.JSONDecodeError as error:
        if error.pos >= len(stripped) or not stripped:
            return "unexpected end of JSON input"
        return f"invalid character {_go_rune(stripped[error.pos])} looking for beginning of value"
    return "invalid character after top-level value"


def _go_rune(character: str) -> str:
    return f"'{character}'"
