"""The pod that a manifest describes: itself, or the template of a workload.  Pure."""

from collections.abc import Sequence
from typing import Any

from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject, Owner
from rescue.shape import faults
from rescue.workloads import BY_NAME, POD, Kind


def pod_in(documents: Sequence[Any], source: str) -> tuple[JsonObject, Owner | None]:
    """The one pod in the documents of a file, and the workload whose template it is; other objects are passed over.

    Raises RescueError (usage) when there is none, more than one, or one that no server would take.
    """
    items = [item for document in documents for item in _items(_without_nulls(document))]
    found = [item for item in items if str(item.get("kind")) in BY_NAME]
    if len(found) != 1:
        kinds = ", ".join(str(item.get("kind")) for item in found or items) or "nothing"
        raise _unusable(source, f"does not hold one Pod or workload, but: {kinds}")
    kind = BY_NAME[found[0]["kind"]]
    pod, name = _pod(found[0], kind), _name(found[0])
    if pod is None or not name:
        raise _unusable(source, f"holds a {kind.name} without a valid name or containers with name and image")
    if wrong := next(faults(pod), ""):
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
