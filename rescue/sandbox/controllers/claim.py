"""Which pods a controller has: it adopts orphans that match, and releases its own that no longer do.

The rules of ``claimObject`` (pkg/controller/controller_ref_manager.go of Kubernetes).
"""

from collections.abc import Callable

from rescue.sandbox import selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store


def controller_of(obj: Object) -> Object | None:
    """The owner reference with ``controller: true``."""
    owners = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def reference_to(owner: Object) -> Object:
    """The controlling owner reference to an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def claim(
    store: Store,
    owner: Object,
    resource: str = "pods",
    eligible: Callable[[Object], bool] = lambda _: True,
    finalizer: str = "",
) -> list[Object]:
    """The objects that the owner controls now; orphans that match (and are ``eligible``) are adopted.

    An adopted object gets the ``finalizer`` too.
    """
    terms = selectors.requirements(owner["spec"]["selector"])
    uid = owner["metadata"]["uid"]

    def matches(obj: Object) -> bool:
        return selectors.matches(terms, selectors.labels_of(obj)) and eligible(obj)

    def concerns(obj: Object) -> bool:
        controller = controller_of(obj)
        return matches(obj) if controller is None else controller["uid"] == uid

    found = []
    for obj in store.list(resource, owner["metadata"]["namespace"], concerns):
        if controller_of(obj) is None:
            if not _leaving(owner) and not _leaving(obj):
                found.append(_adopt(store, owner, resource, obj, finalizer))
        elif matches(obj):
            found.append(obj)
        elif not _leaving(owner):
            _release(store, owner, resource, obj)
    return found


def active(pods: list[Object]) -> list[Object]:
    """Without the pods that have ended or are being deleted."""
    return [pod for pod in pods if not ended(pod) and not _leaving(pod)]


def ended(pod: Object) -> bool:
    """Whether all containers have ended for good."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    """The pod's Ready condition."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _leaving(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _adopt(store: Store, owner: Object, resource: str, obj: Object, finalizer: str) -> Object:
    obj["metadata"].setdefault("ownerReferences", []).append(reference_to(owner))
    if finalizer:
        obj["metadata"].setdefault("finalizers", []).append(finalizer)
    return store.update(resource, obj)


def _release(store: Store, owner: Object, resource: str, obj: Object) -> None:
    owners = obj["metadata"]["ownerReferences"]
    obj["metadata"]["ownerReferences"] = [o for o in owners if o["uid"] != owner["metadata"]["uid"]]
    store.update(resource, obj)
