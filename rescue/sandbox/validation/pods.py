"""Rules for PodSpec (pkg/apis/core/validation of Kubernetes), as far as clones and their sources need."""

from collections.abc import Iterator

from rescue.sandbox import formats
from rescue.sandbox.objects import Object
from rescue.sandbox.status import (
    FieldError,
    duplicate,
    field_not_found,
    forbidden_field,
    invalid_value,
    required,
    unsupported_value,
)
from rescue.sandbox.validation import containers, ports, volumes

MAX_INT32 = 2147483647

# field -> allowed values, in the server's order.
_CHOICES = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
    "preemptionPolicy": ("PreemptLowerPriority", "Never"),
}


def spec_errors(spec: Object, field: str, on_create: bool) -> Iterator[FieldError]:
    """Everything wrong with a pod's (or a template's) spec."""
    yield from volumes.errors(spec.get("volumes", []), f"{field}.volumes")
    known = {volume.get("name", "") for volume in spec.get("volumes", [])}
    yield from _containers(spec, field, known)
    for name, choices in _CHOICES.items():
        if name in spec and spec[name] not in choices:
            yield unsupported_value(f"{field}.{name}", spec[name], choices)
    yield from ports.errors(spec, field)
    yield from _numbers(spec, field)
    yield from _names(spec, field)
    if spec.get("schedulingGates") and spec.get("nodeName"):
        yield forbidden_field(f"{field}.nodeName", "cannot be set until all schedulingGates have been cleared")
    if on_create and spec.get("ephemeralContainers"):
        yield forbidden_field(f"{field}.ephemeralContainers", "cannot be set on create")


def _containers(spec: Object, field: str, volume_names: set[str]) -> Iterator[FieldError]:
    if not spec.get("containers"):
        yield required(f"{field}.containers")
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(group, [])):
            path = f"{field}.{group}[{index}]"
            name = container.get("name", "")
            if name and name in seen:
                yield duplicate(f"{path}.name", name)
            seen.add(name)
            yield from containers.errors(container, path, volume_names)
            if group == "initContainers":
                yield from containers.init_errors(container, path)


def _numbers(spec: Object, field: str) -> Iterator[FieldError]:
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        text = f"must be between 1 and {MAX_INT32}, inclusive"
        yield invalid_value(f"{field}.activeDeadlineSeconds", deadline, text)
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        yield invalid_value(f"{field}.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0")


def _names(spec: Object, field: str) -> Iterator[FieldError]:
    for name in ("hostname", "subdomain"):
        for text in formats.dns_label(spec[name]) if spec.get(name) else []:
            yield invalid_value(f"{field}.{name}", spec[name], text)
    for name in ("serviceAccountName", "nodeName", "priorityClassName"):
        for text in formats.dns_subdomain(spec[name]) if spec.get(name) else []:
            yield invalid_value(f"{field}.{name}", spec[name], text)
    for index, gate in enumerate(spec.get("readinessGates", [])):
        path = f"{field}.readinessGates[{index}].conditionType"
        for text in formats.qualified_name(gate.get("conditionType", "")):
            yield invalid_value(path, gate.get("conditionType", ""), text)


def ephemeral_errors(spec: Object) -> Iterator[FieldError]:
    """Everything wrong with ``spec.ephemeralContainers``, set through the subresource."""
    volume_names = {volume["name"] for volume in spec.get("volumes", [])}
    targets = {container["name"] for group in _GROUPS for container in spec.get(group, [])}
    seen = set(targets)
    for index, container in enumerate(spec.get("ephemeralContainers", [])):
        path = f"spec.ephemeralContainers[{index}]"
        name = container.get("name", "")
        if not name:
            yield required(f"{path}.name")
        elif name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        target = container.get("targetContainerName")
        if target and target not in targets:
            yield field_not_found(f"{path}.targetContainerName", target)
        yield from containers.ephemeral_errors(container, path)
        yield from containers.errors(container, path, volume_names)


_GROUPS = ("initContainers", "containers")
