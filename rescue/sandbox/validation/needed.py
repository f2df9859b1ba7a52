"""Fields that must be there, as the published schemas mark them."""

from collections.abc import Iterator
from typing import Any

from rescue.sandbox import schema
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import FieldError, required

# Marked as required because they are always written, but empty or absent is accepted.
_MAY_BE_EMPTY = frozenset(
    {
        "HTTPHeader.value",
        "ISCSIVolumeSource.lun",
        "NetworkPolicySpec.podSelector",
        "EndpointSlice.endpoints",
        "Event.involvedObject",
        "PriorityClass.value",
        "Sysctl.value",
        "PodDNSConfigOption.value",
    }
)


def errors(obj: Object, resource: Resource) -> Iterator[FieldError]:
    """One complaint for every required field of ``spec`` and below that is missing or empty."""
    definition = schema.definition_of(resource)
    for field, spec in schema.properties({"$ref": f"#/$defs/{definition}"}).items():
        if field not in ("metadata", "status") and field in obj:
            yield from _walk(obj[field], spec, field)


def _walk(value: Any, spec: schema.Schema, path: str) -> Iterator[FieldError]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, spec.get("items", {}), f"{path}[{index}]")
    elif isinstance(value, dict):
        found = schema.resolved(spec)
        owner = (schema.reference(spec) or "").rsplit(".", 1)[-1]
        for field in found.get("required", ()):
            if _missing(value, field) and f"{owner}.{field}" not in _MAY_BE_EMPTY:
                yield required(f"{path}.{field}")
        for field, inner in found.get("properties", {}).items():
            if field in value:
                yield from _walk(value[field], inner, f"{path}.{field}")


def _missing(value: Object, field: str) -> bool:
    # Go cannot tell an empty string, list or zero from an absent one; an empty object it can.
    return value.get(field) in (None, "", 0, []) and value.get(field) is not False
