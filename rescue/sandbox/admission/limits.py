"""The LimitRanger plug-in: default requests and limits, and their bounds, per container."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from rescue import quantity
from rescue.sandbox.objects import Object
from rescue.sandbox.status import forbidden
from rescue.sandbox.store import Store

ANNOTATION = "kubernetes.io/limit-ranger"
_GROUPS = (("initContainers", "init container"), ("containers", "container"))


def set_defaults(store: Store, pod: Object) -> None:
    """Fill in what the namespace's LimitRanges give, and say so in the annotation."""
    notes = []
    for item in _container_limits(store, pod):
        for group, word in _GROUPS:
            for container in pod["spec"].get(group, []):
                notes += _fill(container, item, word)
    if notes:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(notes)}"


def _container_limits(store: Store, pod: Object) -> Iterator[Object]:
    for limit_range in store.list("limitranges", pod["metadata"]["namespace"]):
        yield from (item for item in limit_range["spec"]["limits"] if item["type"] == "Container")


def _fill(container: Object, item: Object, word: str) -> list[str]:
    notes = []
    for field, kind, defaults in (
        ("requests", "request", _default_requests(item)),
        ("limits", "limit", _default_limits(item)),
    ):
        resources = container["resources"]
        missing = {name: amount for name, amount in defaults.items() if name not in resources.get(field, {})}
        if missing:
            resources[field] = resources.get(field, {}) | missing
            notes.append(f"{', '.join(sorted(missing))} {kind} for {word} {container['name']}")
    return notes


def _default_limits(item: Object) -> Object:
    # As the API's own defaulting of LimitRange: a maximum is also the default limit.
    limits: Object = item.get("max", {}) | item.get("default", {})
    return limits


def _default_requests(item: Object) -> Object:
    requests: Object = _default_limits(item) | item.get("min", {}) | item.get("defaultRequest", {})
    return requests


def review(store: Store, pod: Object) -> None:
    """ApiError 403 when a container is outside of the bounds."""
    complaints: list[str] = []
    for item in _container_limits(store, pod):
        for group, _ in _GROUPS:
            for container in pod["spec"].get(group, []):
                complaints += _outside(container["resources"], item)
    if complaints:
        why = complaints[0] if len(complaints) == 1 else f"[{', '.join(complaints)}]"
        raise forbidden("pods", pod["metadata"].get("name", ""), why)


def _outside(resources: Object, item: Object) -> Iterator[str]:
    yield from _beyond(resources, item, "min", "minimum", ("requests", "limits"), lambda a, b: a < b)
    yield from _beyond(resources, item, "max", "maximum", ("limits", "requests"), lambda a, b: a > b)


def _beyond(
    resources: Object,
    item: Object,
    bound: str,
    word: str,
    fields: tuple[str, str],
    breaks: Callable[[Decimal, Decimal], bool],
) -> Iterator[str]:
    for name, edge in item.get(bound, {}).items():
        text = f"{word} {name} usage per Container is {edge}"
        given = {field: resources.get(field, {}).get(name) for field in fields}
        over = [f for f in fields if given[f] is not None and breaks(quantity.parse(given[f]), quantity.parse(edge))]
        if given[fields[0]] is None:
            yield f"{text}, but no {fields[0].rstrip('s')} is specified"
        elif over:
            yield f"{text}, but {over[0].rstrip('s')} is {given[over[0]]}"
