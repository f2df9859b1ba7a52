"""The patches of the API: JSON (RFC 6902), merge (RFC 7386) and strategic merge.

Strategic merge follows the published schemas (``x-kubernetes-patch-strategy`` and ``-merge-key``), so it
knows every kind; its directives are ``$patch``, ``$retainKeys``, ``$setElementOrder/LIST`` and
``$deleteFromPrimitiveList/LIST``.
"""

from collections.abc import Callable
from typing import Any

import jsonpatch
import jsonpointer

from rescue.sandbox import schema
from rescue.sandbox.objects import Object, copy
from rescue.sandbox.resources import Resource
from rescue.sandbox.schema import Schema
from rescue.sandbox.status import bad_request, rejected_patch, unsupported_media_type

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def apply(obj: Object, patch: Any, media_type: str, resource: Resource) -> Object:
    """The patched copy of ``obj``; ApiError 400, 415 or 422 as the real server answers."""
    appliers = _CUSTOM_APPLIERS if resource.custom else _APPLIERS
    if media_type not in appliers:
        raise unsupported_media_type()
    return appliers[media_type](copy(obj), patch, resource)


def _json(obj: Object, patch: Any, _: Resource) -> Object:
    if not isinstance(patch, list):
        kind = "object" if isinstance(patch, dict) else "string"
        go = f"json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: {go}")
    try:
        return jsonpatch.apply_patch(obj, patch)  # type: ignore[no-any-return]
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError):
        raise rejected_patch() from None


def _merge(obj: Object, patch: Any, _: Resource) -> Object:
    _needs_object(patch)
    merged: Object = _merged(obj, patch)
    return merged


def _strategic(obj: Object, patch: Any, resource: Resource) -> Object:
    _needs_object(patch)
    definition = schema.definitions()[schema.definition_of(resource)]
    return _merged_object(obj, patch, definition)


def _needs_object(patch: Any) -> None:
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]any")


_APPLIERS: dict[str, Callable[[Object, Any, Resource], Object]] = {
    JSON: _json,
    MERGE: _merge,
    STRATEGIC: _strategic,
    APPLY: _strategic,
}
# Without a schema nobody knows how lists merge: no strategic merge, and server-side apply replaces them.
_CUSTOM_APPLIERS = {JSON: _json, MERGE: _merge, APPLY: _merge}


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(new, dict):
        return new
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _merged_object(old: Object, patch: Object, spec: Schema) -> Object:
    directive = patch.get("$patch")
    if directive in ("replace", "delete"):
        return {key: value for key, value in patch.items() if key != "$patch"}
    result = {key: value for key, value in old.items() if key in patch.get("$retainKeys", old)}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(result, key, value, spec)
    for key, order in patch.items():
        if key.startswith(_ORDER):
            _reorder(result, key.removeprefix(_ORDER), order, spec)
        elif key.startswith(_DELETE):
            name = key.removeprefix(_DELETE)
            result[name] = [item for item in result.get(name, []) if item not in order]
    return result


def _merge_field(result: Object, key: str, value: Any, spec: Schema) -> None:
    field = _field_schema(spec, key)
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict):
        old = result.get(key)
        result[key] = _merged_object(old if isinstance(old, dict) else {}, value, schema.resolved(field))
    elif isinstance(value, list) and _merges(field):
        result[key] = _merged_list(result.get(key) or [], value, field)
    else:
        result[key] = value


def _field_schema(spec: Schema, key: str) -> Schema:
    found: Schema = spec.get("properties", {}).get(key) or spec.get("additionalProperties") or {}
    return found


def _merges(field: Schema) -> bool:
    return "merge" in field.get("x-kubernetes-patch-strategy", "").split(",")


def _merged_list(old: list[Any], new: list[Any], field: Schema) -> list[Any]:
    merge_key = field.get("x-kubernetes-patch-merge-key")
    if merge_key is None:
        return old + [item for item in new if item not in old]
    if any(item.get("$patch") == "replace" for item in new):
        return [item for item in new if "$patch" not in item]
    items = schema.resolved(field.get("items", {}))
    result = list(old)
    for item in new:
        _merge_item(result, item, merge_key, items)
    return result


def _merge_item(result: list[Any], item: Object, merge_key: str, spec: Schema) -> None:
    if merge_key not in item:
        raise bad_request(f"map: {item} does not contain declared merge key: {merge_key}")
    where = next((i for i, old in enumerate(result) if old.get(merge_key) == item[merge_key]), None)
    if item.get("$patch") == "delete":
        if where is not None:
            del result[where]
    elif where is None:
        result.append(_merged_object({}, item, spec))
    else:
        result[where] = _merged_object(result[where], item, spec)


def _reorder(result: Object, name: str, order: list[Any], spec: Schema) -> None:
    # Items that the order does not name are the server's own; they stay behind the named ones.
    merge_key = _field_schema(spec, name).get("x-kubernetes-patch-merge-key")
    wanted = [item[merge_key] if merge_key else item for item in order]

    def place(item: Any) -> int:
        key = item.get(merge_key) if merge_key else item
        return wanted.index(key) if key in wanted else len(wanted)

    if isinstance(result.get(name), list):
        result[name] = sorted(result[name], key=place)
