"""Create, update, patch and delete over the store, with the checks of a real API server in its order.

Nothing here knows HTTP: objects and options come in, objects go out, refusals are ``ApiError``.
"""

from dataclasses import dataclass, field
from typing import Any

from rescue.sandbox import admission, bootstrap, decode, defaults, objects, patch, status, strategies, validation
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import AlreadyExists, Conflict, NotFound, Store
from rescue.sandbox.validation import pods


@dataclass
class Options:
    """The write options of a request; ``warnings`` is filled on the way."""

    dry_run: bool = False
    field_validation: str = "Warn"
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """Which object of which resource: ``name`` is "" for a collection, ``subresource`` mostly ""."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def get(store: Store, target: Target) -> Object:
    """The object; ApiError 404."""
    try:
        return store.get(target.resource.stored_as, target.namespace, target.name)
    except NotFound:
        raise _not_found(target) from None


def create(store: Store, target: Target, body: Object, options: Options) -> Object:
    """A new object: decoded, defaulted, admitted, validated, stored (unless it is a dry run)."""
    resource = target.resource
    obj = _decoded(body, resource, options)
    _set_namespace(obj, target)
    given = obj["metadata"]
    obj = defaults.apply(obj, resource)
    admission.mutate(store, obj, resource)
    obj = strategies.prepared_for_create(store, obj, resource)
    _refuse(validation.check(obj, resource), obj, resource)
    admission.review(store, obj, resource)
    _must_be_new(store, obj, target)
    if options.dry_run:
        version = given.get("resourceVersion")
        return _with_meta(obj, resourceVersion=version) if version else obj
    if given.get("resourceVersion"):
        raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
    made = store.create(resource.stored_as, obj)
    if resource.plural == "namespaces":
        # The real server's admission waits for the account that a controller makes; here it is made at once.
        bootstrap.furnish(store, made["metadata"]["name"])
    return made


def update(store: Store, target: Target, body: Object, options: Options) -> Object:
    """Replace the object, or its status, or its ephemeral containers."""
    old = get(store, target)
    new = _decoded(body, target.resource, options)
    _set_namespace(new, target)
    if new["metadata"].get("name") != target.name:
        given = new["metadata"].get("name", "")
        raise status.bad_request(f"the name of the object ({given}) does not match the name on the URL ({target.name})")
    return _replaced(store, target, old, new, options)


def patched(store: Store, target: Target, change: Any, media_type: str, body_kind: Options) -> tuple[Object, bool]:
    """The object after a patch, and whether it was made by it (server-side apply of a new one)."""
    try:
        old = get(store, target)
    except ApiError:
        if media_type != patch.APPLY:
            raise
        return create(store, target, change, body_kind), True
    new = _decoded(patch.apply(old, change, media_type, target.resource), target.resource, body_kind)
    return _replaced(store, target, old, new, body_kind), False


def delete(store: Store, target: Target, request: Object, dry_run: bool) -> Object:
    """Delete by DeleteOptions; the object while it lives on or for a pod, else a Status Success."""
    old = get(store, target)
    _check_preconditions(old, request.get("preconditions") or {}, target)
    resource = target.resource
    grace = strategies.grace_period(old, request, resource)
    last = objects.marked(resource.plural, old, grace) if _marks(old, resource) else old
    if not dry_run:
        if request.get("propagationPolicy") == "Orphan":
            strategies.orphan_dependents(store, old)
        last = _deleted(store, target, last, grace)
    if resource.plural == "pods" or _lives_on(last, resource):
        return last
    group = {"group": resource.group} if resource.group else {}
    details = {"name": target.name, **group, "kind": resource.plural, "uid": old["metadata"]["uid"]}
    return status.success(details)


def _deleted(store: Store, target: Target, last: Object, grace: int) -> Object:
    resource, where = target.resource.stored_as, (target.namespace, target.name)
    if resource == "namespaces":
        store.mark_deleted(resource, *where, 0)
        return store.update_status(resource, *where, {"phase": "Terminating"})
    if grace > 0:
        return store.mark_deleted(resource, *where, grace)
    version = store.delete(resource, *where)["metadata"]["resourceVersion"]
    return _with_meta(last, resourceVersion=version)


def _lives_on(obj: Object, resource: Resource) -> bool:
    return resource.plural == "namespaces" or bool(obj["metadata"].get("finalizers"))


def _marks(obj: Object, resource: Resource) -> bool:
    return resource.plural == "pods" or _lives_on(obj, resource)


def _check_preconditions(old: Object, wanted: Object, target: Target) -> None:
    for key, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        found = old["metadata"][key]
        if wanted.get(key) not in (None, found):
            kind = target.resource.kind
            raise status.precondition_failed(kind, target.name, word, wanted[key], found)


def _replaced(store: Store, target: Target, old: Object, new: Object, options: Options) -> Object:
    resource = target.resource
    if target.subresource == "ephemeralcontainers":
        new = _with_ephemeral(old, new, resource)
        errors = [*pods.ephemeral_errors(new["spec"])]
    elif target.subresource == "status":
        new = old | {"metadata": new["metadata"], "status": new.get("status", {})}
        errors = []
    else:
        new = strategies.prepared_for_update(old, defaults.apply(new, resource), resource)
        errors = validation.check_update(old, new, resource)
    _refuse(errors, new, resource)
    return _stored(store, target, old, new, options)


def _stored(store: Store, target: Target, old: Object, new: Object, options: Options) -> Object:
    resource = target.resource
    try:
        if options.dry_run:
            return objects.updated(resource.plural, old, new)
        return store.update(resource.stored_as, new)
    except Conflict:
        raise status.modified(resource.plural, target.name, resource.group) from None


def _with_ephemeral(old: Object, new: Object, resource: Resource) -> Object:
    containers = defaults.apply(new, resource)["spec"].get("ephemeralContainers", [])
    return old | {"spec": old["spec"] | {"ephemeralContainers": containers}}


def _decoded(body: Object, resource: Resource, options: Options) -> Object:
    obj, unknown = decode.decode(body, resource)
    obj.setdefault("metadata", {})
    if unknown and options.field_validation == "Strict":
        raise decode.strict_error(resource, unknown)
    if unknown and options.field_validation == "Warn":
        options.warnings += decode.unknown_texts(unknown)
    return obj


def _set_namespace(obj: Object, target: Target) -> None:
    if not target.resource.namespaced:
        obj["metadata"].pop("namespace", None)
        return
    given = obj["metadata"].get("namespace") or target.namespace
    obj["metadata"]["namespace"] = given
    if given != target.namespace:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _must_be_new(store: Store, obj: Object, target: Target) -> None:
    resource = target.resource
    name = obj["metadata"]["name"]
    try:
        store.get(resource.stored_as, target.namespace, name)
    except NotFound:
        return
    raise status.already_exists(resource.plural, name, resource.group) from AlreadyExists(name)


def _refuse(errors: list[status.FieldError], obj: Object, resource: Resource) -> None:
    if errors:
        raise status.invalid(resource.kind, obj["metadata"].get("name", ""), errors, resource.group)


def _with_meta(obj: Object, **fields: Any) -> Object:
    return obj | {"metadata": obj["metadata"] | fields}


def _not_found(target: Target) -> ApiError:
    return status.not_found(target.resource.plural, target.name, target.resource.group)
