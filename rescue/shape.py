"""The shape of a pod's manifest, as far as rescue reads it; the server looks at all the rest.  Pure."""

from collections.abc import Iterator
from typing import Any

from rescue.model import JsonObject

# ``str``, a list of one shape, or a map of shapes: "!name" must be there, "*" is any other.
_TEXTS = {"*": str}
_CONTAINER = {
    "!name": str,
    "!image": str,
    "command": [str],
    "args": [str],
    "env": [{"!name": str, "valueFrom": {"fieldRef": {"fieldPath": str}, "*": {}}}],
    "envFrom": [{"*": {}, "prefix": str}],
    "ports": [{}],
    "volumeMounts": [{"!name": str, "mountPath": str}],
    "volumeDevices": [{"!name": str}],
    "securityContext": {},
    "resources": {"limits": {}, "requests": {}},
    "lifecycle": {},
}
_VOLUME = {"!name": str, "persistentVolumeClaim": {"!claimName": str}, "hostPath": {"!path": str}, "*": {}}
_POD = {
    "!metadata": {"!name": str, "namespace": str, "labels": _TEXTS, "annotations": _TEXTS},
    "!spec": {
        "!containers": [_CONTAINER],
        "initContainers": [_CONTAINER],
        "ephemeralContainers": [{"!name": str}],
        "volumes": [_VOLUME],
        "imagePullSecrets": [{"name": str}],
        "affinity": {"*": {}},
        "hostname": str,
        "nodeName": str,
        "nodeSelector": _TEXTS,
        "readinessGates": [{}],
        "resources": {},
        "restartPolicy": str,
        "securityContext": {},
        "tolerations": [{}],
        "topologySpreadConstraints": [{}],
    },
}


def faults(pod: JsonObject) -> Iterator[str]:
    """What is wrong with the shape of a pod, field by field; a null is a field that is not set."""
    return _faults(pod, _POD, "")


def _faults(value: Any, shape: Any, place: str) -> Iterator[str]:
    if not _fits(value, shape):
        yield f"{place} is not {_words(shape)}"
    elif isinstance(shape, list):
        for index, item in enumerate(value):
            yield from _faults(item, shape[0], f"{place}[{index}]")
    elif isinstance(shape, dict):
        yield from _faults_of_map(value, shape, f"{place}." if place else "")


def _faults_of_map(value: JsonObject, shape: dict[str, Any], prefix: str) -> Iterator[str]:
    needed = [key[1:] for key in shape if key.startswith("!")]
    yield from (f"{prefix}{key} is missing" for key in needed if value.get(key) is None)
    for key, item in value.items():
        part = shape.get(f"!{key}", shape.get(key, shape.get("*")))
        if item is not None and part is not None:
            yield from _faults(item, part, f"{prefix}{key}")


def _fits(value: Any, shape: Any) -> bool:
    """Whether a value has a shape, two levels deep."""
    if shape is _TEXTS:
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    if isinstance(shape, list):
        return isinstance(value, list) and all(isinstance(item, _kind(shape[0])) for item in value)
    return isinstance(value, _kind(shape))


def _kind(shape: Any) -> type:
    return str if shape is str else dict


def _words(shape: Any) -> str:
    if isinstance(shape, list):
        return f"a list of {'strings' if shape[0] is str else 'maps'}"
    if shape is _TEXTS:
        return "a map of strings"
    return "a string" if shape is str else "a map"
