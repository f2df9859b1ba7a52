"""The garbage collector: an object whose owners are all gone goes too (background propagation)."""

from rescue.sandbox import registry
from rescue.sandbox.objects import Object
from rescue.sandbox.registry import Target
from rescue.sandbox.resources import BY_KIND, RESOURCES
from rescue.sandbox.store import Store


def reconcile(store: Store) -> None:
    """Delete what has owner references, none of which leads to an object."""
    rows = {row.stored_as: row for row in RESOURCES if row.plural != "events"}
    objects = [(row, obj) for row in rows.values() for obj in store.list(row.stored_as)]
    uids = {obj["metadata"]["uid"] for _, obj in objects}
    for row, obj in objects:
        meta = obj["metadata"]
        if "deletionTimestamp" not in meta and _abandoned(meta.get("ownerReferences") or [], uids):
            registry.delete(store, Target(row, meta.get("namespace", ""), meta["name"]), {}, dry_run=False)


def _abandoned(owners: list[Object], uids: set[str]) -> bool:
    # An owner of a kind that the sandbox does not serve cannot be looked up; it counts as there.
    known = [(owner.get("apiVersion"), owner.get("kind")) in BY_KIND for owner in owners]
    return bool(owners) and all(known) and not any(owner["uid"] in uids for owner in owners)
