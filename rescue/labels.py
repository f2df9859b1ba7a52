"""Label selectors: which labels a selector uses, and which pods it takes.  Pure."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from rescue.model import JsonObject

# Kubernetes: LabelSelectorRequirement. A pod without the label satisfies NotIn.
_OPERATORS: dict[str, Callable[[str | None, Container[str | None]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _values: value is not None,
    "DoesNotExist": lambda value, _values: value is None,
}


def _parts(selector: Mapping[str, Any]) -> tuple[JsonObject, list[JsonObject]]:
    """The equalities and expressions of a selector; a bare map is a Service's or ReplicationController's."""
    if "matchLabels" in selector or "matchExpressions" in selector:
        return selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    return dict(selector), []


def keys(selectors: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Every label key that these selectors use."""
    used: set[str] = set()
    for selector in selectors:
        equal, expressions = _parts(selector)
        used.update(equal, (entry["key"] for entry in expressions))
    return frozenset(used)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether the selector takes a pod with these labels; an empty one takes every pod."""
    equal, expressions = _parts(selector)
    return all(labels.get(key) == value for key, value in equal.items()) and all(
        _OPERATORS[entry["operator"]](labels.get(entry["key"]), entry.get("values") or ()) for entry in expressions
    )
