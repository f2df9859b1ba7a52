"""Rules for the host ports of a whole pod."""

from collections.abc import Iterator

from rescue.sandbox.objects import Object
from rescue.sandbox.status import FieldError, duplicate, invalid_value

_MISMATCH = "must match `hostPort` when `hostNetwork` is true"


def errors(spec: Object, field: str) -> Iterator[FieldError]:
    """Each host port is there once; in the host's network it is the container's port."""
    seen: set[str] = set()
    for path, port in _ports(spec, field):
        number = port.get("hostPort", 0)
        if spec.get("hostNetwork") and number and number != port.get("containerPort"):
            yield invalid_value(f"{path}.containerPort", port.get("containerPort"), _MISMATCH)
        name = f"{port.get('protocol', 'TCP')}/{port.get('hostIP', '')}/{number}"
        if number and name in seen:
            yield duplicate(f"{path}.hostPort", name)
        seen.add(name)


def _ports(spec: Object, field: str) -> Iterator[tuple[str, Object]]:
    for number, container in enumerate(spec.get("containers", [])):
        for index, port in enumerate(container.get("ports", [])):
            yield f"{field}.containers[{number}].ports[{index}]", port
