"""Admission: what the server adds to a new object, and what it refuses beside plain validation.

``mutate`` runs before validation, ``review`` after it, in the order of a real API server's plug-ins.
"""

from collections.abc import Callable

from rescue.sandbox.admission import accounts, claims, limits, podsecurity, priority, quota, tolerations
from rescue.sandbox.names import shown_name
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import ApiError, forbidden, not_found
from rescue.sandbox.store import NotFound, Store

_Plugins = tuple[Callable[[Store, Object], None], ...]
_MUTATING: dict[str, _Plugins] = {
    "pods": (limits.set_defaults, accounts.add_token, priority.resolve, tolerations.add),
    "persistentvolumeclaims": (claims.protect,),
}
_REVIEWING: dict[str, _Plugins] = {
    "pods": (limits.review, podsecurity.review, quota.review),
    "persistentvolumeclaims": (quota.review_claim,),
}


def mutate(store: Store, obj: Object, resource: Resource) -> None:
    """Complete a new object in place; ApiError 403 or 404 when a plug-in refuses it."""
    if resource.namespaced:
        _live_namespace(store, obj, resource)
    for plugin in _MUTATING.get(resource.plural, ()):
        plugin(store, obj)


def review(store: Store, obj: Object, resource: Resource) -> None:
    """Refuse (ApiError 403) what the namespace's policies forbid."""
    for plugin in _REVIEWING.get(resource.plural, ()):
        plugin(store, obj)


def _live_namespace(store: Store, obj: Object, resource: Resource) -> None:
    name = obj["metadata"]["namespace"]
    try:
        namespace = store.get("namespaces", "", name)
    except NotFound:
        raise not_found("namespaces", name) from None
    if namespace["metadata"].get("deletionTimestamp"):
        raise _terminating(obj, resource, name)


def _terminating(obj: Object, resource: Resource, namespace: str) -> ApiError:
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    return forbidden(resource.plural, shown_name(obj["metadata"]), why, resource.group)
