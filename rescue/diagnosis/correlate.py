"""A path, as the pod's volumes explain it: which mount, which object, which key, and what is wrong with it."""

import difflib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rescue.diagnosis.container import Container
from rescue.model import JsonObject

_KINDS = {
    "configMap": "ConfigMap",
    "secret": "Secret",
    "persistentVolumeClaim": "PersistentVolumeClaim",
    "ephemeral": "PersistentVolumeClaim",
    "emptyDir": "emptyDir",
    "hostPath": "hostPath",
    "downwardAPI": "downwardAPI",
    "projected": "projected",
    "image": "image",
    "csi": "CSI",
    "nfs": "NFS",
}
_ALWAYS_READ_ONLY = ("ConfigMap", "Secret", "downwardAPI", "projected", "image")
_DATA_DIRECTORY = re.compile(r"^\.\.(?:data|\d{4}_\d\d_\d\d[^/]*)(?:/|$)")


@dataclass(frozen=True)
class Source:
    """One object behind a volume: ``files`` maps the path in the volume to the key, None = every key."""

    kind: str
    name: str
    files: dict[str, str] | None = None
    mode: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a path lies.  ``kind`` is empty when it is in the image, not in a volume."""

    path: str
    kind: str = ""
    volume: str = ""
    mount: str = ""
    inside: str = ""
    sub_path: str = ""
    read_only: bool = False
    sources: tuple[Source, ...] = field(default=())


@dataclass(frozen=True)
class Key:
    """The key that should be behind a path.

    ``state`` is ``absent``, ``present``, ``unprojected`` (the object has it, ``items`` leaves it out),
    ``no object``, or ``unknown`` when the keys could not be read.
    """

    kind: str
    object: str
    name: str
    state: str
    nearest: str = ""
    keys: tuple[str, ...] = ()
    mode: int | None = None


def place(path: str, container: Container) -> Place:
    """The mount with the longest mountPath that holds the path."""
    mounts = container.spec.get("volumeMounts") or []
    holding = [m for m in mounts if _holds(str(m.get("mountPath", "")), path)]
    if not holding:
        return Place(path)
    mount = max(holding, key=lambda m: len(str(m["mountPath"]).rstrip("/")))
    return _in_mount(path, mount, _volume(container, str(mount.get("name"))))


def _holds(mount_path: str, path: str) -> bool:
    base = mount_path.rstrip("/")
    return path == base or path.startswith(base + "/")


def _volume(container: Container, name: str) -> JsonObject:
    volumes = container.pod.get("spec", {}).get("volumes") or []
    return next((dict(volume) for volume in volumes if volume.get("name") == name), {})


def volume_kind(container: Container, name: str) -> str:
    """What kind of volume this is; empty when the pod has none of this name."""
    return _kind(_volume(container, name))


def _kind(volume: JsonObject) -> str:
    type_ = next((key for key in volume if key in _KINDS), "")
    return _KINDS.get(type_, next((key for key in volume if key != "name"), ""))


def _in_mount(path: str, mount: JsonObject, volume: JsonObject) -> Place:
    base = str(mount["mountPath"]).rstrip("/")
    sub_path = str(mount.get("subPath") or mount.get("subPathExpr") or "")
    below = _DATA_DIRECTORY.sub("", path[len(base) :].strip("/"))
    type_ = next((key for key in volume if key in _KINDS), "")
    kind = _kind(volume) or "unknown"
    sources = tuple(_sources(type_, volume))
    if kind == "projected" and len({s.kind for s in sources}) == 1:
        kind = sources[0].kind
    read_only = bool(mount.get("readOnly")) or kind in _ALWAYS_READ_ONLY
    inside = "/".join(part for part in (sub_path.strip("/"), below) if part)
    return Place(path, kind, str(volume.get("name", "")), base or "/", inside, sub_path, read_only, sources)


def _sources(type_: str, volume: JsonObject) -> list[Source]:
    if type_ == "projected":
        parts = volume["projected"].get("sources") or []
        return [s for part in parts for key in part for s in _sources(key, part)]
    body = volume.get(type_) or {}
    if type_ in ("configMap", "secret"):
        name = str(body.get("name") or body.get("secretName") or "")
        return [Source(_KINDS[type_], name, _items(body), body.get("defaultMode"))]
    if type_ == "persistentVolumeClaim":
        return [Source(_KINDS[type_], str(body.get("claimName", "")), {})]
    if type_ == "downwardAPI":
        names = [str(item.get("path")) for item in body.get("items") or []]
        return [Source("downwardAPI", "", {name: name for name in names})]
    if type_ == "serviceAccountToken":
        return [Source("serviceAccountToken", "", {str(body.get("path")): "token"})]
    return []


def _items(body: JsonObject) -> dict[str, str] | None:
    items = body.get("items")
    return None if items is None else {str(item.get("path")): str(item.get("key")) for item in items}


def key(place: Place, objects: JsonObject) -> Key | None:
    """The ConfigMap or Secret key that a path in such a volume stands for; None elsewhere.

    In a projected volume it is the source that has the key, else the one with the nearest key.
    """
    if not place.inside:
        return None
    found = [_key(place, s, objects) for s in place.sources if s.kind in ("ConfigMap", "Secret")]
    order = ("present", "unprojected", "absent", "no object", "unknown")
    return min(found, key=lambda k: (order.index(k.state), not k.nearest), default=None)


def _key(place: Place, source: Source, objects: JsonObject) -> Key:
    have = _keys(source, objects)
    files = source.files if source.files is not None else {name: name for name in have or ()}
    name = files.get(place.inside) or place.inside
    known = sorted({*files, *(have or ())})
    state = _state(place.inside, name, source, have, objects)
    near = nearest(place.inside, known) or nearest(PurePosixPath(place.inside).name, known)
    return Key(source.kind, source.name, name, state, near, tuple(sorted(have or ())), source.mode)


def _keys(source: Source, objects: JsonObject) -> list[str] | None:
    group = "configMaps" if source.kind == "ConfigMap" else "secrets"
    found = (objects.get(group) or {}).get(source.name)
    return None if found is None else [str(name) for name in found]


def _state(inside: str, name: str, source: Source, have: list[str] | None, objects: JsonObject) -> str:
    group = "configMaps" if source.kind == "ConfigMap" else "secrets"
    if have is None:
        return "unknown" if unread(group, objects) else "no object"
    if source.files is not None and inside not in source.files:
        return "unprojected" if name in have else "absent"
    return "present" if name in have else "absent"


def unread(group: str, objects: JsonObject) -> str:
    """Why a group of objects (``configMaps``) is not known; empty when it was read.

    What could not be read goes by the group's name, or by that of the API's resource (``configmaps``).
    """
    refused = objects.get("unreadable") or {}
    return str(refused.get(group) or refused.get(group.lower()) or ("" if group in objects else "it was not read"))


def nearest(word: str, words: list[str]) -> str:
    """The most similar of some words, whatever their case; empty if none is near."""
    others = {other.casefold(): other for other in words if other != word}
    return next((others[name] for name in difflib.get_close_matches(word.casefold(), others, 1, 0.7)), "")
