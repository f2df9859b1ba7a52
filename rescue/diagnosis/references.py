"""What a pod's manifest refers to: ConfigMaps, Secrets and their keys, who needs them, and whether they are there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rescue.diagnosis.correlate import nearest, unread
from rescue.model import JsonObject

GROUPS = {"ConfigMap": "configMaps", "Secret": "secrets"}
_KEY_REFERENCES = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
_SOURCE_REFERENCES = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
_VOLUMES = {"configMap": "ConfigMap", "secret": "Secret"}


@dataclass(frozen=True)
class Reference:
    """One place of the manifest that needs an object, or one key of it.

    ``where`` is its path in the pod, ``by`` the same in words; ``container`` is empty for a volume, ``volume`` for a
    variable; ``mounted`` is false for a volume that no container uses, which the kubelet leaves alone.
    """

    kind: str
    object: str
    key: str
    where: str
    by: str
    container: str = ""
    volume: str = ""
    optional: bool = False
    mounted: bool = True


@dataclass(frozen=True)
class State:
    """What the cluster has for a reference.

    ``word`` is ``there``, ``no object``, ``no key``, or ``unknown`` when it could not be read.
    """

    word: str
    nearest: str = ""
    keys: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> bool:
        """It was looked for, and it is not there."""
        return self.word in ("no object", "no key")


def of_pod(pod: JsonObject) -> list[Reference]:
    """Every reference of the pod, in the order in which the kubelet follows them: volumes, then each container."""
    spec = pod.get("spec") or {}
    mounts = _mounts(spec)
    found: list[Reference] = []
    for index, volume in enumerate(spec.get("volumes") or ()):
        found += _of_volume(volume, f"spec.volumes[{index}]", mounts.get(volume.get("name"), ""))
    for where, container in _containers(spec):
        found += [*_of_sources(container, where), *_of_variables(container, where)]
    return found


def _containers(spec: JsonObject) -> list[tuple[str, JsonObject]]:
    groups = ("initContainers", "containers")
    return [(f"spec.{group}[{i}]", dict(c)) for group in groups for i, c in enumerate(spec.get(group) or ())]


def _mounts(spec: JsonObject) -> dict[Any, str]:
    """Volume and where it is mounted first."""
    found: dict[Any, str] = {}
    for _, container in _containers(spec):
        for mount in container.get("volumeMounts") or ():
            found.setdefault(mount.get("name"), f"{mount.get('mountPath')} of container {container.get('name')}")
    return found


def _of_sources(container: JsonObject, where: str) -> Iterator[Reference]:
    name = str(container.get("name"))
    for index, source in enumerate(container.get("envFrom") or ()):
        for field_, kind in _SOURCE_REFERENCES.items():
            if body := source.get(field_):
                place, by = f"{where}.envFrom[{index}].{field_}", f"envFrom of container {name}"
                yield Reference(
                    kind, str(body.get("name", "")), "", place, by, name, optional=bool(body.get("optional"))
                )


def _of_variables(container: JsonObject, where: str) -> Iterator[Reference]:
    name = str(container.get("name"))
    for index, entry in enumerate(container.get("env") or ()):
        for field_, kind in _KEY_REFERENCES.items():
            if body := (entry.get("valueFrom") or {}).get(field_):
                place = f"{where}.env[{index}].valueFrom.{field_}"
                by = f"variable {entry.get('name')} of container {name}"
                owner, key = str(body.get("name", "")), str(body.get("key", ""))
                yield Reference(kind, owner, key, place, by, name, optional=bool(body.get("optional")))


def _of_volume(volume: JsonObject, where: str, mount: str) -> Iterator[Reference]:
    name, mounted = str(volume.get("name")), bool(mount)
    whole = f"volume {name}{f' ({mount})' if mount else ''}"
    for field_, kind in _VOLUMES.items():
        if body := volume.get(field_):
            owner = str(body.get("name") or body.get("secretName") or "")
            yield from _of_files(kind, owner, body, f"{where}.{field_}", whole, name, mounted)
    for index, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
        for field_, kind in _VOLUMES.items():
            if body := source.get(field_):
                place, by = f"{where}.projected.sources[{index}].{field_}", f"a source of {whole}"
                yield from _of_files(kind, str(body.get("name", "")), body, place, by, name, mounted)


def _of_files(
    kind: str, owner: str, body: JsonObject, where: str, by: str, volume: str, mounted: bool
) -> Iterator[Reference]:
    """The object, and each key that ``items`` names."""
    optional = bool(body.get("optional"))
    items = body.get("items") or ()
    if not items:
        yield Reference(kind, owner, "", where, by, "", volume, optional, mounted)
    for index, item in enumerate(items):
        what = f"file {item.get('path')} of {by}"
        place, key = f"{where}.items[{index}]", str(item.get("key", ""))
        yield Reference(kind, owner, key, place, what, "", volume, optional, mounted)


def state(reference: Reference, objects: JsonObject) -> State:
    """Whether the object and its key are there, and what is most like them, as far as it was read."""
    group = GROUPS[reference.kind]
    have = (objects.get(group) or {}).get(reference.object)
    if have is None:
        others = [str(name) for name in (objects.get("names") or {}).get(group) or ()]
        word = "unknown" if unread(group, objects) else "no object"
        return State(word, nearest(reference.object, others))
    keys = tuple(str(key) for key in have)
    if reference.key and reference.key not in keys:
        return State("no key", nearest(reference.key, list(keys)), keys)
    return State("there", "", keys)
