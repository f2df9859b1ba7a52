"""What the API server refuses in an object: every complaint with its field, as Kubernetes 1.36 says it.

``check(obj, resource)`` is the whole of it; the modules beside it hold the rules by subject.
"""

from collections.abc import Callable, Iterator

from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import FieldError
from rescue.sandbox.validation import claims, metadata, needed, pods, policies, updates, workloads

_Rule = Callable[[Object], Iterator[FieldError]]

_RULES: dict[str, _Rule] = {
    "pods": lambda obj: pods.spec_errors(obj.get("spec", {}), "spec", on_create=True),
    "deployments": workloads.template_errors,
    "replicasets": workloads.template_errors,
    "daemonsets": workloads.template_errors,
    "statefulsets": workloads.template_errors,
    "jobs": workloads.job_errors,
    "configmaps": workloads.key_errors,
    "secrets": workloads.key_errors,
    "services": workloads.service_errors,
    "persistentvolumeclaims": claims.claim_errors,
    "persistentvolumes": claims.volume_errors,
    "poddisruptionbudgets": policies.budget_errors,
    "customresourcedefinitions": policies.definition_errors,
}

_UPDATE_RULES: dict[str, Callable[[Object, Object], Iterator[FieldError]]] = {
    "pods": updates.pod_errors,
    "deployments": updates.selector_errors,
    "replicasets": updates.selector_errors,
    "daemonsets": updates.selector_errors,
    "statefulsets": updates.selector_errors,
    "jobs": updates.selector_errors,
    "configmaps": updates.immutable_data_errors,
    "secrets": updates.immutable_data_errors,
    "persistentvolumeclaims": claims.update_errors,
}


def check(obj: Object, resource: Resource) -> list[FieldError]:
    """The complaints about a new object, after defaults and admission; empty when it is valid."""
    if resource.custom:
        return [*metadata.errors(obj["metadata"], resource)]
    errors = [*metadata.errors(obj["metadata"], resource), *needed.errors(obj, resource)]
    if resource.plural in _RULES:
        errors += _RULES[resource.plural](obj)
    return _first_per_field(errors)


def check_update(old: Object, new: Object, resource: Resource) -> list[FieldError]:
    """The complaints about replacing ``old`` by ``new``."""
    errors = [*metadata.errors(new["metadata"], resource), *metadata.update_errors(old, new)]
    if resource.plural in _UPDATE_RULES:
        errors += _UPDATE_RULES[resource.plural](old, new)
    if not errors and resource.plural != "pods":
        return check(new, resource)
    return _first_per_field(errors)


def _first_per_field(errors: list[FieldError]) -> list[FieldError]:
    # The schema's "required" and a rule can both miss the same field; the real server says it once.
    found: dict[tuple[str, str], FieldError] = {}
    for error in errors:
        found.setdefault((error.field, error.text), error)
    return list(found.values())
