"""The kinds that a cluster serves now: the built-in ones, and those of its CustomResourceDefinitions."""

from collections.abc import Iterator

from rescue.sandbox.objects import Object
from rescue.sandbox.resources import RESOURCES, Resource
from rescue.sandbox.store import Store


def rows(store: Store) -> tuple[Resource, ...]:
    """Every kind, in the order of ``kubectl api-resources``."""
    return (*RESOURCES, *custom(store))


def custom(store: Store) -> list[Resource]:
    """The kinds of the CustomResourceDefinitions."""
    return [row for definition in store.list("customresourcedefinitions") for row in _rows(definition)]


def find(store: Store, group: str, version: str, plural: str) -> Resource | None:
    """The resource at ``/api/v1/...`` (group "") or ``/apis/GROUP/VERSION/...``."""
    return next((row for row in rows(store) if (row.group, row.version, row.plural) == (group, version, plural)), None)


def _rows(definition: Object) -> Iterator[Resource]:
    spec = definition["spec"]
    names = spec["names"]
    for version in spec["versions"]:
        if version.get("served"):
            yield Resource(
                group=spec["group"],
                version=version["name"],
                plural=names["plural"],
                kind=names["kind"],
                namespaced=spec["scope"] == "Namespaced",
                short=tuple(names.get("shortNames", ())),
                categories=tuple(names.get("categories", ())),
                subresources=("status",) if "status" in version.get("subresources", {}) else (),
                custom=True,
            )
