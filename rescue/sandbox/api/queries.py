"""Query parameters of lists, and the pages of a long one."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from rescue.sandbox import selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import bad_request

_TRUE = ("1", "true", "True", "t", "T", "TRUE")


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean parameter as the server reads it."""
    return query.get(name, "") in _TRUE


def number(query: Mapping[str, str], name: str) -> int | None:
    """An integer parameter; ApiError 400 when it is none."""
    text = query.get(name, "")
    if not text:
        return None
    if not text.lstrip("-").isdigit():
        why = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise bad_request(f"unable to decode query parameter {name}: {why}")
    return int(text)


@dataclass(frozen=True)
class Filter:
    """The label and field selector of a list or watch, and the one name of a watch on an object."""

    labels: tuple[selectors.Requirement, ...]
    fields: tuple[selectors.FieldTerm, ...]
    name: str = ""

    def keeps(self, obj: Object) -> bool:
        """Whether the object is asked for."""
        return (
            (not self.name or obj["metadata"]["name"] == self.name)
            and all(term.matches(selectors.labels_of(obj)) for term in self.labels)
            and all(term.matches(obj) for term in self.fields)
        )


def filter_of(query: Mapping[str, str], resource: Resource, name: str = "") -> Filter:
    """The filter of a request; ApiError 400 when a selector cannot be read."""
    return Filter(
        tuple(selectors.parse_labels(query.get("labelSelector", ""))),
        tuple(selectors.parse_fields(query.get("fieldSelector", ""), resource.plural)),
        name,
    )


@dataclass(frozen=True)
class Page:
    """A part of a list; ``token`` leads to the rest, of which ``remaining`` objects are left."""

    items: list[Object]
    token: str = ""
    remaining: int = 0


def page(items: list[Object], query: Mapping[str, str], version: int) -> Page:
    """The page that ``limit`` and ``continue`` ask for; ApiError 400 for a bad token."""
    start = _start(query.get("continue", ""))
    rest = [obj for obj in items if _place(obj) > start]
    limit = number(query, "limit") or 0
    if limit <= 0 or len(rest) <= limit:
        return Page(rest)
    token = {"v": "meta.k8s.io/v1", "rv": version, "start": _place(rest[limit - 1]) + "\0"}
    text = json.dumps(token, separators=(",", ":")).encode()
    return Page(rest[:limit], base64.urlsafe_b64encode(text).decode().rstrip("="), len(rest) - limit)


def _place(obj: Object) -> str:
    meta = obj["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


def _start(token: str) -> str:
    if not token:
        return ""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return str(json.loads(raw)["start"]).rstrip("\0")
    except binascii.Error:
        raise _bad_token("illegal base64 data at input byte 0") from None
    except (ValueError, KeyError, TypeError):
        first = raw[:1].decode("latin-1")
        raise _bad_token(f"invalid character '{first}' looking for beginning of value") from None


def _bad_token(why: str) -> Exception:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")
