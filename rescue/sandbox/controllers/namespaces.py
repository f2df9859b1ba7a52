"""Namespaces: each has its account and CA; one that is being deleted is emptied, then removed."""

from rescue.sandbox import bootstrap, catalog, registry
from rescue.sandbox.registry import Target
from rescue.sandbox.store import Store


def reconcile(store: Store) -> None:
    """Furnish the live namespaces and empty the others."""
    for namespace in store.list("namespaces"):
        name = namespace["metadata"]["name"]
        if "deletionTimestamp" not in namespace["metadata"]:
            bootstrap.furnish(store, name)
        elif _emptied(store, name):
            store.delete("namespaces", "", name)


def _emptied(store: Store, namespace: str) -> bool:
    left = 0
    for resource in {row.stored_as: row for row in catalog.rows(store) if row.namespaced}.values():
        for obj in store.list(resource.stored_as, namespace):
            left += 1
            if "deletionTimestamp" not in obj["metadata"]:
                registry.delete(store, Target(resource, namespace, obj["metadata"]["name"]), {}, dry_run=False)
    return left == 0
