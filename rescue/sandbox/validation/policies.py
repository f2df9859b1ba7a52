"""Rules for PodDisruptionBudgets and CustomResourceDefinitions."""

import re
from collections.abc import Iterator

from rescue.sandbox.objects import Object
from rescue.sandbox.status import FieldError, invalid_value, required, unsupported_value

_EVICTION = ("AlwaysAllow", "IfHealthyBudget")
_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%'"
    " (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
_SCOPES = ("Cluster", "Namespaced")


def budget_errors(budget: Object) -> Iterator[FieldError]:
    """Everything wrong with a PodDisruptionBudget."""
    spec = budget.get("spec", {})
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        if name in spec:
            yield from _amount(spec[name], f"spec.{name}")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy not in (None, *_EVICTION):
        yield unsupported_value("spec.unhealthyPodEvictionPolicy", policy, _EVICTION)


def _amount(value: int | str, field: str) -> Iterator[FieldError]:
    if isinstance(value, int):
        if value < 0:
            yield invalid_value(field, value, "must be greater than or equal to 0")
    elif not re.fullmatch("[0-9]+%", value):
        yield invalid_value(field, value, _PERCENT)
    elif int(value[:-1]) > 100:
        yield invalid_value(field, value, "must not be greater than 100%")


def definition_errors(definition: Object) -> Iterator[FieldError]:
    """What makes a CustomResourceDefinition impossible to serve."""
    spec, name = definition.get("spec", {}), definition["metadata"].get("name", "")
    if name != f"{spec.get('names', {}).get('plural', '')}.{spec.get('group', '')}":
        yield invalid_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if spec.get("scope") not in _SCOPES:
        yield unsupported_value("spec.scope", spec.get("scope", ""), _SCOPES)
    for index, version in enumerate(spec.get("versions", [])):
        if not version.get("schema", {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
    if sum(1 for version in spec.get("versions", []) if version.get("storage")) != 1:
        yield invalid_value(
            "spec.versions", spec.get("versions"), "must have exactly one version marked as storage version"
        )
