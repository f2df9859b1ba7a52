"""Rules for containers, init containers and ephemeral containers."""

from collections.abc import Iterator

from rescue import quantity
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

_CHOICES = {
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
}
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NOT_FOR_PLAIN_INIT = ("lifecycle", *_PROBES)
_NOT_FOR_EPHEMERAL = ("ports", "lifecycle", *_PROBES, "resources", "resizePolicy")
_OVERCOMMIT_OK = ("cpu", "memory", "ephemeral-storage")


def errors(container: Object, field: str, volume_names: set[str]) -> Iterator[FieldError]:
    """Everything wrong with one container."""
    name = container.get("name", "")
    for text in formats.dns_label(name) if name else []:
        yield invalid_value(f"{field}.name", name, text)
    image = container.get("image", "")
    if not image:
        yield required(f"{field}.image")
    elif image != image.strip():
        yield invalid_value(f"{field}.image", image, "must not have leading or trailing whitespace")
    for key, choices in _CHOICES.items():
        if key in container and container[key] not in choices:
            yield unsupported_value(f"{field}.{key}", container[key], choices)
    yield from _ports(container.get("ports", []), f"{field}.ports")
    yield from _environment(container, field)
    yield from _mounts(container.get("volumeMounts", []), f"{field}.volumeMounts", volume_names)
    yield from _resources(container.get("resources", {}), f"{field}.resources")
    yield from _probes(container, field)
    yield from _security(container.get("securityContext", {}), f"{field}.securityContext")


def init_errors(container: Object, field: str) -> Iterator[FieldError]:
    """What only a sidecar (restartPolicy Always) among the init containers may have."""
    if container.get("restartPolicy") == "Always":
        return
    for key in _NOT_FOR_PLAIN_INIT:
        if container.get(key):
            yield forbidden_field(f"{field}.{key}", "may not be set for init containers without restartPolicy=Always")


def ephemeral_errors(container: Object, field: str) -> Iterator[FieldError]:
    """What an ephemeral container may not have."""
    for key in _NOT_FOR_EPHEMERAL:
        if container.get(key):
            yield forbidden_field(f"{field}.{key}", "cannot be set for an Ephemeral Container")
    for index, mount in enumerate(container.get("volumeMounts", [])):
        for key in ("subPath", "subPathExpr"):
            if mount.get(key):
                path = f"{field}.volumeMounts[{index}].{key}"
                yield forbidden_field(path, "cannot be set for an Ephemeral Container")


def _ports(ports: list[Object], field: str) -> Iterator[FieldError]:
    names: set[str] = set()
    for index, port in enumerate(ports):
        path = f"{field}[{index}]"
        for key in ("containerPort", "hostPort"):
            if port.get(key) and not 1 <= port[key] <= 65535:
                yield invalid_value(f"{path}.{key}", port[key], "must be between 1 and 65535, inclusive")
        if port.get("protocol") not in _PROTOCOLS:
            yield unsupported_value(f"{path}.protocol", port.get("protocol"), _PROTOCOLS)
        if port.get("name") in names:
            yield duplicate(f"{path}.name", port["name"])
        names |= {port["name"]} if port.get("name") else set()


def _environment(container: Object, field: str) -> Iterator[FieldError]:
    for index, variable in enumerate(container.get("env", [])):
        path = f"{field}.env[{index}]"
        name = variable.get("name", "")
        for text in formats.env_name(name) if name else []:
            yield invalid_value(f"{path}.name", name, text)
        if variable.get("value") and variable.get("valueFrom"):
            yield invalid_value(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    for index, source in enumerate(container.get("envFrom", [])):
        if not source.get("configMapRef") and not source.get("secretRef"):
            path = f"{field}.envFrom[{index}]"
            yield invalid_value(path, "", "must specify one of: `configMapRef` or `secretRef`")


def _mounts(mounts: list[Object], field: str, volume_names: set[str]) -> Iterator[FieldError]:
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        path = f"{field}[{index}]"
        if mount.get("name") and mount["name"] not in volume_names:
            yield field_not_found(f"{path}.name", mount["name"])
        where = mount.get("mountPath", "")
        if where in paths:
            yield invalid_value(f"{path}.mountPath", where, "must be unique")
        paths.add(where)
        if ".." in mount.get("subPath", "").split("/"):
            yield invalid_value(f"{path}.subPath", mount["subPath"], "must not contain '..'")


def _resources(resources: Object, field: str) -> Iterator[FieldError]:
    limits = resources.get("limits", {})
    for group in ("limits", "requests"):
        for name, amount in resources.get(group, {}).items():
            if quantity.parse(amount) < 0:
                path = f"{field}.{group}.{name}"
                yield invalid_value(path, amount, "must be greater than or equal to 0")
    for name, amount in resources.get("requests", {}).items():
        if name in limits and quantity.parse(amount) > quantity.parse(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid_value(f"{field}.requests", amount, text)


def _probes(container: Object, field: str) -> Iterator[FieldError]:
    for key in _PROBES:
        if key in container:
            yield from _one_handler(container[key], f"{field}.{key}", _HANDLERS)
    for key, hook in container.get("lifecycle", {}).items():
        if isinstance(hook, dict):
            yield from _one_handler(hook, f"{field}.lifecycle.{key}", _HOOK_HANDLERS)
    for key in ("livenessProbe", "startupProbe"):
        threshold = container.get(key, {}).get("successThreshold", 1)
        if threshold != 1:
            yield invalid_value(f"{field}.{key}.successThreshold", threshold, "must be 1")


def _one_handler(probe: Object, field: str, handlers: tuple[str, ...]) -> Iterator[FieldError]:
    found = [handler for handler in handlers if handler in probe]
    if not found:
        yield required(field, "must specify a handler type")
    for extra in found[1:]:
        yield forbidden_field(f"{field}.{extra}", "may not specify more than 1 handler type")


def _security(context: Object, field: str) -> Iterator[FieldError]:
    if context.get("allowPrivilegeEscalation") is False and context.get("privileged"):
        yield invalid_value(field, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    for key in ("runAsUser", "runAsGroup"):
        if context.get(key, 0) < 0:
            text = "must be between 0 and 2147483647, inclusive"
            yield invalid_value(f"{field}.{key}", context[key], text)
