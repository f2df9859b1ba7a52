"""The pod that a manifest describes: itself, or the template of a workload.  Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject, Owner
from rescue.workloads import BY_NAME, POD, Kind

# Fields that rescue reads, by the shape in which a server takes them.
_TEXT_MAPS = ("labels", "annotations")
_OBJECTS = ("securityContext", "resources", "affinity", "nodeSelector", "lifecycle")
_OBJECT_LISTS = (
    *("containers", "initContainers", "ephemeralContainers", "volumes", "imagePullSecrets", "tolerations"),
    *("env", "envFrom", "ports", "volumeMounts", "volumeDevices", "topologySpreadConstraints", "readinessGates"),
)
_TEXT_LISTS = ("command", "args")


def pod_in(documents: Sequence[Any], source: str) -> tuple[JsonObject, Owner | None]:
    """The one pod in the documents of a file, and the workload whose template it is; other objects are passed over.

    Raises RescueError (usage) when there is none, more than one, or one that no server would take.
    """
    items = [item for document in documents for item in _items(_without_nulls(document))]
    found = [item for item in items if item.get("kind") in BY_NAME]
    if len(found) != 1:
        kinds = ", ".join(str(item.get("kind")) for item in found or items) or "nothing"
        raise _unusable(source, f"does not hold one Pod or workload, but: {kinds}")
    kind = BY_NAME[found[0]["kind"]]
    pod, name = _pod(found[0], kind), _name(found[0])
    if pod is None or not name:
        raise _unusable(source, f"holds a {kind.name} without a valid name or containers with name and image")
    if wrong := next(_malformed(pod), ""):
        raise _unusable(source, f"holds a {kind.name} that no server would take: {wrong}")
    return pod, None if kind is POD else Owner(kind.name, name)


def _without_nulls(value: Any) -> Any:
    """A null means that the field is not set, as it does to a server."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _items(document: Any) -> list[JsonObject]:
    """The objects in a document, which may be a List."""
    if not isinstance(document, dict):
        return []
    items = document.get("items") if document.get("kind") == "List" else [document]
    return [item for item in items or () if isinstance(item, dict)]


def _unusable(source: str, problem: str) -> RescueError:
    return RescueError(f"{source} {problem}", "try: kubectl get pod NAME -o yaml | rescue pod -f -", ExitCode.USAGE)


def _name(item: JsonObject) -> str:
    """The object's name, as far as it has one: ``kubectl create`` makes one from generateName."""
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        return "" if metadata else "pod"
    name = metadata.get("name") or str(metadata.get("generateName") or "pod").rstrip("-")
    return name if isinstance(name, str) else ""


def _pod(item: JsonObject, kind: Kind) -> JsonObject | None:
    """The pod, with the name and namespace of the item; None when it has not the shape that a server would take."""
    template: Any = item
    for key in kind.template:
        template = template.get(key) if isinstance(template, dict) else None
    if not isinstance(template, dict) or not _has_containers(template):
        return None
    outer, inner = item.get("metadata") or {}, template.get("metadata") or {}
    if not isinstance(outer, dict) or not isinstance(inner, dict):
        return None
    place = {"namespace": outer["namespace"]} if outer.get("namespace") else {}
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**inner, "name": _name(item), **place}}


def _has_containers(pod: JsonObject) -> bool:
    """Whether the pod has containers as a server would take them: no more is looked at here."""
    spec = pod.get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    if not isinstance(containers, list):
        return False
    return bool(containers) and all(isinstance(c, dict) and {"name", "image"} <= c.keys() for c in containers)


def _malformed(pod: JsonObject) -> Iterator[str]:
    """What is wrong with the shape of a pod that has containers, field by field; the server looks at all the rest."""
    yield from _misshapen("metadata", pod["metadata"])
    yield from _misshapen("spec", pod["spec"])
    for field in ("initContainers", "containers"):
        for index, container in enumerate(pod["spec"].get(field, ())):
            yield from _misshapen(f"{field}[{index}]", container)


def _misshapen(place: str, fields: JsonObject) -> Iterator[str]:
    for key, value in fields.items():
        if key in _TEXT_MAPS and not (isinstance(value, dict) and _all(str, value.values())):
            yield f"{place}.{key} is not a map of strings"
        if key in _OBJECTS and not isinstance(value, dict):
            yield f"{place}.{key} is not a map"
        if key in _OBJECT_LISTS and not (isinstance(value, list) and _all(dict, value)):
            yield f"{place}.{key} is not a list of maps"
        if key in _TEXT_LISTS and not (isinstance(value, list) and _all(str, value)):
            yield f"{place}.{key} is not a list of strings"


def _all(kind: type, values: Iterable[Any]) -> bool:
    return all(isinstance(value, kind) for value in values)
