"""Label selectors (text and object form) and field selectors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rescue.sandbox.objects import Object
from rescue.sandbox.status import bad_request

Labels = Mapping[str, str]

_TOKEN = re.compile(r"\s*(==|!=|=|<|>|!|\(|\)|,|[^\s=!<>(),]+)")
_SYMBOLS = {"==", "!=", "=", "<", ">", "!", "(", ")", ","}


@dataclass(frozen=True)
class Requirement:
    """One term: ``key operator values``; operators are those of LabelSelector plus Gt and Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether an object with these labels satisfies the term."""
        return _OPERATORS[self.operator](labels.get(self.key), self.values)


_OPERATORS: dict[str, Callable[[str | None, tuple[str, ...]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, values: value is not None and _number(value) > _number(values[0]),
    "Lt": lambda value, values: value is not None and _number(value) < _number(values[0]),
}


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else 0


class _Parser:
    """The grammar of ``labelSelector``: terms with commas between them."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._next = 0

    def terms(self) -> list[Requirement]:
        found = []
        while self._peek():
            found.append(self._term())
            if self._peek():
                self._expect(",", "',' or 'end of string'")
                if not self._peek():
                    raise _unparsable("", "identifier after ','")
        return found

    def _term(self) -> Requirement:
        if self._peek() == "!":
            self._take()
            return Requirement(self._word("identifier"), "DoesNotExist")
        key = self._word("identifier")
        token = self._peek()
        if token in ("", ","):
            return Requirement(key, "Exists")
        self._take()
        if token in ("=", "=="):
            return Requirement(key, "In", (self._value(),))
        if token == "!=":
            return Requirement(key, "NotIn", (self._value(),))
        if token in ("<", ">"):
            return Requirement(key, "Lt" if token == "<" else "Gt", (self._value(),))
        if token in ("in", "notin"):
            return Requirement(key, "In" if token == "in" else "NotIn", self._values())
        raise _unparsable(token, "in, notin, =, ==, !=, gt, lt")

    def _values(self) -> tuple[str, ...]:
        self._expect("(", "'('")
        found = [self._value()]
        while self._peek() == ",":
            self._take()
            found.append(self._value())
        self._expect(")", "')'")
        return tuple(found)

    def _value(self) -> str:
        return "" if self._peek() in ("", ",", ")") else self._word("identifier")

    def _word(self, expected: str) -> str:
        token = self._take()
        if not token or token in _SYMBOLS:
            raise _unparsable(token, expected)
        return token

    def _expect(self, token: str, expected: str) -> None:
        found = self._take()
        if found != token:
            raise _unparsable(found, expected)

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token


def _unparsable(found: str, expected: str) -> Exception:
    return bad_request(f"unable to parse requirement: found '{found}', expected: {expected}")


def parse_labels(text: str) -> list[Requirement]:
    """The terms of a ``labelSelector`` parameter; ApiError 400 when it cannot be read."""
    return _Parser(text).terms()


def requirements(selector: Object | None) -> list[Requirement] | None:
    """The terms of a LabelSelector object; ``None`` (matches nothing) when there is no selector."""
    if selector is None:
        return None
    equal = [Requirement(key, "In", (value,)) for key, value in selector.get("matchLabels", {}).items()]
    return equal + [
        Requirement(term["key"], term["operator"], tuple(term.get("values", ())))
        for term in selector.get("matchExpressions", ())
    ]


def matches(terms: list[Requirement] | None, labels: Labels) -> bool:
    """Whether all terms hold."""
    return terms is not None and all(term.matches(labels) for term in terms)


def labels_of(obj: Object) -> dict[str, str]:
    """The labels of an object; empty when there are none."""
    found: dict[str, str] = obj["metadata"].get("labels") or {}
    return found


# The fields that each resource can be selected by, beside metadata.name and metadata.namespace;
# pkg/apis/*/v1/conversion.go of Kubernetes.
_FIELDS = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "secrets": ("type",),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "jobs": ("status.successful",),
    "replicasets": ("status.replicas",),
    "services": ("spec.clusterIP", "spec.type"),
}


@dataclass(frozen=True)
class FieldTerm:
    """One term of a field selector."""

    field: str
    value: str
    equal: bool

    def matches(self, obj: Object) -> bool:
        """Whether the object's field has (or has not) the value; a missing field is ""."""
        return (_text(obj, self.field) == self.value) is self.equal


def parse_fields(text: str, plural: str) -> list[FieldTerm]:
    """The terms of a ``fieldSelector`` parameter; ApiError 400 for a field that is not supported."""
    terms = [_field_term(part) for part in text.split(",") if part]
    known = ("metadata.name", "metadata.namespace", *_FIELDS.get(plural, ()))
    for term in terms:
        if term.field not in known:
            raise bad_request(f"field label not supported: {term.field}")
    return terms


def _field_term(part: str) -> FieldTerm:
    match = re.fullmatch(r"([^!=]+)(==|!=|=)(.*)", part)
    if not match:
        raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    return FieldTerm(match[1].strip(), match[3].strip(), match[2] != "!=")


def _text(obj: Object, path: str) -> str:
    value: Any = obj
    for key in path.split("."):
        value = value.get(key, "") if isinstance(value, dict) else ""
    if isinstance(value, dict):  # an event's "source" selects by its component
        value = value.get("component", "")
    return str(value).lower() if isinstance(value, bool) else str(value)
