"""Reading the protobuf bodies that ``kubectl create namespace`` and the like send.

kubectl sends JSON for files (apply, create -f, patch) and protobuf for the few kinds that it builds itself.
The table has the fields of those kinds; numbers: generated.proto of k8s.io/api and k8s.io/apimachinery.
"""

import base64
from collections.abc import Iterator
from typing import Any

from rescue.sandbox.objects import Object

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"

# message -> field number -> (name, type); a type is a message of this table, or one of the words below.
_MESSAGES: dict[str, dict[int, tuple[str, str]]] = {
    "Unknown": {1: ("typeMeta", "TypeMeta"), 2: ("raw", "raw")},
    "TypeMeta": {1: ("apiVersion", "text"), 2: ("kind", "text")},
    "ObjectMeta": {
        1: ("name", "text"),
        2: ("generateName", "text"),
        3: ("namespace", "text"),
        11: ("labels", "text map"),
        12: ("annotations", "text map"),
        14: ("finalizers", "text list"),
    },
    "Namespace": {1: ("metadata", "ObjectMeta")},
    "ServiceAccount": {1: ("metadata", "ObjectMeta")},
    "ConfigMap": {
        1: ("metadata", "ObjectMeta"),
        2: ("data", "text map"),
        3: ("binaryData", "bytes map"),
        4: ("immutable", "flag"),
    },
    "Secret": {
        1: ("metadata", "ObjectMeta"),
        2: ("data", "bytes map"),
        3: ("type", "text"),
        4: ("stringData", "text map"),
        5: ("immutable", "flag"),
    },
    "SelfSubjectReview": {1: ("metadata", "ObjectMeta")},
    "SelfSubjectRulesReview": {1: ("metadata", "ObjectMeta"), 2: ("spec", "RulesSpec")},
    "RulesSpec": {1: ("namespace", "text")},
    "SelfSubjectAccessReview": {1: ("metadata", "ObjectMeta"), 2: ("spec", "AccessSpec")},
    "AccessSpec": {1: ("resourceAttributes", "ResourceAttributes"), 2: ("nonResourceAttributes", "PathAttributes")},
    "ResourceAttributes": {
        1: ("namespace", "text"),
        2: ("verb", "text"),
        3: ("group", "text"),
        4: ("version", "text"),
        5: ("resource", "text"),
        6: ("subresource", "text"),
        7: ("name", "text"),
    },
    "PathAttributes": {1: ("path", "text"), 2: ("verb", "text")},
}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def decode(body: bytes) -> Object | None:
    """The object; ``None`` when its kind is not in the table.  ValueError when it is not such a body."""
    if not body.startswith(_MAGIC):
        raise ValueError("no protobuf object of Kubernetes")
    envelope = _message(body[len(_MAGIC) :], "Unknown")
    kind = envelope["typeMeta"]["kind"]
    if kind not in _MESSAGES:
        return None
    found: Object = envelope["typeMeta"] | _message(envelope.get("raw", b""), kind)
    return found


def _message(data: bytes, name: str) -> Object:
    fields, read = _MESSAGES[name], Object()
    for number, value in _fields(data):
        if number not in fields:
            continue
        field, kind = fields[number]
        if kind.endswith(" map"):
            entry = dict(_fields(value))
            read.setdefault(field, {})[entry.get(1, b"").decode()] = _plain(entry.get(2, b""), kind.split()[0])
        elif kind.endswith(" list"):
            read.setdefault(field, []).append(_plain(value, kind.split()[0]))
        else:
            read[field] = _message(value, kind) if kind in _MESSAGES else _plain(value, kind)
    return read


def _plain(value: Any, kind: str) -> Any:
    match kind:
        case "text":
            return value.decode()
        case "bytes":
            return base64.b64encode(value).decode()
        case "flag":
            return bool(value)
        case _:
            return value


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, value) in the order of the wire; a length-delimited value is bytes."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        wire = tag & 7
        if wire == _VARINT:
            value, place = _varint(data, place)
            yield tag >> 3, value
            continue
        if wire == _BYTES:
            length, place = _varint(data, place)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
        yield tag >> 3, data[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data):
            raise ValueError("truncated")
        byte = data[place]
        value |= (byte & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if byte < 0x80:
            return value, place
