"""The garbage collector: an object whose owners are all gone goes too (background propagation)."""

from rescue.sandbox import catalog, registry
from rescue.sandbox.objects import Object
from rescue.sandbox.registry import Target
from rescue.sandbox.store import Store


def reconcile(store: Store) -> None:
    """Delete what has owner references, none of which leads to an object."""
    served = catalog.rows(store)
    rows = {row.stored_as: row for row in served if row.plural != "events"}
    kinds = {(row.api_version, row.kind) for row in served}
    uids: set[str] = set()

    def owned(obj: Object) -> bool:
        uids.add(obj["metadata"]["uid"])  # every object passes here, once
        return bool(obj["metadata"].get("ownerReferences")) and "deletionTimestamp" not in obj["metadata"]

    found = {name: store.list(name, None, owned) for name in rows}
    for name, objects in found.items():
        for meta in (obj["metadata"] for obj in objects):
            if _abandoned(meta["ownerReferences"], uids, kinds):
                target = Target(rows[name], meta.get("namespace", ""), meta["name"])
                registry.delete(store, target, {}, dry_run=False)


def _abandoned(owners: list[Object], uids: set[str], kinds: set[tuple[str, str]]) -> bool:
    # An owner of a kind that the sandbox does not serve cannot be looked up; it counts as there.
    known = [(owner.get("apiVersion"), owner.get("kind")) in kinds for owner in owners]
    return bool(owners) and all(known) and not any(owner["uid"] in uids for owner in owners)
