"""Rules for PersistentVolumeClaims, also as templates in a pod, and for PersistentVolumes."""

from collections.abc import Iterator

from rescue import quantity
from rescue.sandbox import formats
from rescue.sandbox.objects import Object
from rescue.sandbox.status import (
    FieldError,
    forbidden_field,
    invalid_value,
    required,
    unsupported_value,
)

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_POLICIES = ("Delete", "Recycle", "Retain")
_CLAIM = "PersistentVolumeClaim"
# What a PersistentVolume has beside its source.
_NO_SOURCE = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)
_TEMPLATE_META = ("annotations", "labels")
_IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def claim_errors(claim: Object) -> Iterator[FieldError]:
    """Everything wrong with a claim's spec."""
    yield from spec_errors(claim.get("spec", {}), "spec")


def template_errors(template: Object, field: str) -> Iterator[FieldError]:
    """Everything wrong with the template of a generic ephemeral volume."""
    for name in template.get("metadata") or {}:
        if name not in _TEMPLATE_META:
            yield forbidden_field(f"{field}.metadata.{name}", "cannot be set")
    yield from spec_errors(template.get("spec", {}), f"{field}.spec")


def spec_errors(spec: Object, field: str) -> Iterator[FieldError]:
    """Everything wrong with a PersistentVolumeClaimSpec."""
    yield from _modes(spec.get("accessModes") or [], f"{field}.accessModes")
    yield from _size(spec.get("resources", {}), f"{field}.resources[storage]")
    name = spec.get("storageClassName")
    for text in formats.dns_subdomain(name) if name else []:
        yield invalid_value(f"{field}.storageClassName", name, text)
    if spec.get("volumeMode", "Filesystem") not in _VOLUME_MODES:
        yield unsupported_value(f"{field}.volumeMode", spec["volumeMode"], _VOLUME_MODES)
    yield from _source(spec, field)


def _modes(modes: list[str], field: str) -> Iterator[FieldError]:
    if not modes:
        yield required(field, "at least 1 access mode is required")
    for mode in modes:
        if mode not in _MODES:
            yield unsupported_value(field, mode, _MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield forbidden_field(field, "may not use ReadWriteOncePod with other access modes")


def _size(resources: Object, field: str) -> Iterator[FieldError]:
    size = resources.get("requests", {}).get("storage")
    if size is None:
        yield required(field)
    elif quantity.parse(size) <= 0:
        yield invalid_value(field, size, "must be greater than zero")


def _source(spec: Object, field: str) -> Iterator[FieldError]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not source.get("apiGroup") and source.get("kind") != _CLAIM:
        text = f"must be '{_CLAIM}' when referencing the default apiGroup"
        yield invalid_value(f"{field}.dataSource", source.get("kind"), text)
    if source and reference and source != reference:
        yield invalid_value(field, f"{field}.dataSource", "must match dataSourceRef")


def update_errors(old: Object, new: Object) -> Iterator[FieldError]:
    """A claim's spec is fixed but for its size."""
    before, after = ({**o["spec"], "resources": o["spec"].get("resources", {}).get("limits")} for o in (old, new))
    if before != after:
        yield forbidden_field("spec", _IMMUTABLE)


def volume_errors(volume: Object) -> Iterator[FieldError]:
    """Everything wrong with a PersistentVolume."""
    spec = volume.get("spec", {})
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    if not spec.get("capacity"):
        yield required("spec.capacity")
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy not in (None, *_POLICIES):
        yield unsupported_value("spec.persistentVolumeReclaimPolicy", policy, _POLICIES)
    if not set(spec) - _NO_SOURCE:
        yield required("spec", "must specify a volume type")
