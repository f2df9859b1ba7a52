"""Custom objects go with the definition of their kind."""

from rescue.sandbox import catalog
from rescue.sandbox.resources import RESOURCES
from rescue.sandbox.store import Store

_BUILT_IN = {row.stored_as for row in RESOURCES}


def reconcile(store: Store) -> None:
    """Remove the objects of kinds that are no longer defined."""
    known = _BUILT_IN | {row.stored_as for row in catalog.custom(store)}
    for resource in store.resources():
        if resource not in known:
            for obj in store.list(resource):
                obj["metadata"].pop("finalizers", None)
                store.update(resource, obj)
                store.delete(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
