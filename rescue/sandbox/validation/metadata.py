"""Rules for ObjectMeta."""

from collections.abc import Iterator

from rescue.sandbox import formats
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import FieldError, forbidden_field, invalid_value, required

# Kinds whose name is a DNS label (63 characters); all others take a DNS subdomain.
_LABEL_NAMED = frozenset({"namespaces", "services"})
_OWNER_FIELDS = ("apiVersion", "kind", "name", "uid")
_ANNOTATIONS_BYTES = 256 * 1024


def errors(meta: Object, resource: Resource) -> Iterator[FieldError]:
    """Name, labels, annotations and owners."""
    yield from _name(meta, resource)
    for key, value in (meta.get("labels") or {}).items():
        yield from _labels("metadata.labels", key, value)
    annotations = meta.get("annotations") or {}
    for key in annotations:
        for text in formats.qualified_name(key.lower()):
            yield invalid_value("metadata.annotations", key, text)
    if sum(len(key) + len(value) for key, value in annotations.items()) > _ANNOTATIONS_BYTES:
        text = f"Too long: may not be more than {_ANNOTATIONS_BYTES} bytes"
        yield FieldError("FieldValueTooLong", "metadata.annotations", text)
    for index, owner in enumerate(meta.get("ownerReferences") or []):
        yield from _owner(owner, f"metadata.ownerReferences[{index}]")


def update_errors(old: Object, new: Object) -> Iterator[FieldError]:
    """What an update may not change in the metadata."""
    for field in ("name", "namespace"):
        value = new["metadata"].get(field)
        if value != old["metadata"].get(field):
            yield invalid_value(f"metadata.{field}", value, "field is immutable")
    yield from _finalizers(old, new)


def _name(meta: Object, resource: Resource) -> Iterator[FieldError]:
    if not meta.get("name") and not meta.get("generateName"):
        yield required("metadata.name", "name or generateName is required")
        return
    rule = formats.dns_label if resource.plural in _LABEL_NAMED else formats.dns_subdomain
    for text in rule(meta["name"]) if meta.get("name") else []:
        yield invalid_value("metadata.name", meta["name"], text)


def _labels(field: str, key: str, value: str) -> Iterator[FieldError]:
    for text in formats.qualified_name(key):
        yield invalid_value(field, key, text)
    for text in formats.label_value(value):
        yield invalid_value(field, value, text)


def _owner(owner: Object, field: str) -> Iterator[FieldError]:
    for name in _OWNER_FIELDS:
        if not owner.get(name):
            yield invalid_value(f"{field}.{name}", owner.get(name, ""), f"{name} must not be empty")


def template_errors(meta: Object, field: str) -> Iterator[FieldError]:
    """Labels and annotations of a pod template."""
    for key, value in (meta.get("labels") or {}).items():
        yield from _labels(f"{field}.labels", key, value)
    for key in meta.get("annotations") or {}:
        for text in formats.qualified_name(key.lower()):
            yield invalid_value(f"{field}.annotations", key, text)


def _finalizers(old: Object, new: Object) -> Iterator[FieldError]:
    added = set(new["metadata"].get("finalizers") or []) - set(old["metadata"].get("finalizers") or [])
    if added and old["metadata"].get("deletionTimestamp"):
        text = f"no new finalizers can be added if the object is being deleted, found new finalizers {sorted(added)}"
        yield forbidden_field("metadata.finalizers", text)
