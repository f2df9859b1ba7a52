"""The files of configMap, secret, downwardAPI and projected volumes; pure, given the objects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rescue.sandbox.kubelet.decode import binary_data
from rescue.sandbox.kubelet.env import Lookup
from rescue.sandbox.kubelet.fields import field_value, resource_value
from rescue.sandbox.store import Object

DEFAULT_MODE = 0o644
SOURCES = frozenset({"configMap", "secret", "downwardAPI", "projected"})


@dataclass(frozen=True)
class File:
    """The content of one file and its permission bits; ``private``: only for the pod's user or group."""

    data: bytes
    mode: int
    private: bool = False


Files = dict[str, File]


class VolumeError(Exception):
    """A volume cannot be set up; the text is the end of the event's message."""

    reason = "FailedMount"

    def message(self, volume: str) -> str:
        """The message of the event."""
        return f'MountVolume.SetUp failed for volume "{volume}" : {self}'


class MounterError(VolumeError):
    """The volume's plug-in does not take it."""

    def message(self, volume: str) -> str:
        """The message of the event."""
        return f'MountVolume.NewMounter initialization failed for volume "{volume}" : {self}'


class ProcessError(VolumeError):
    """The kubelet cannot tell what to mount."""

    def message(self, volume: str) -> str:
        """The message of the event."""
        lists = f"unmounted volumes=[{volume}], unattached volumes=[], failed to process volumes=[{volume}]"
        return f"Unable to attach or mount volumes: {lists}: {self}"


class AttachError(VolumeError):
    """The volume is attached to another node."""

    reason = "FailedAttachVolume"

    def message(self, volume: str) -> str:  # noqa: ARG002 (the text names the PersistentVolume)
        """The message of the event."""
        return str(self)


@dataclass(frozen=True)
class World:
    """What volumes can be made of: ``lookup`` of objects, the pod's token, the node's capacity.

    ``elsewhere`` gives the pods of the namespace that are on other nodes.
    """

    pod: Object
    lookup: Lookup
    issue_token: Callable[[], str]
    capacity: Mapping[str, str]
    elsewhere: Callable[[], list[Object]] = list


def volume_files(volume: Object, world: World) -> Files:
    """Relative path → file, for a volume of one of SOURCES; VolumeError."""
    for source in SOURCES & volume.keys():
        mode = volume[source].get("defaultMode", DEFAULT_MODE)
        if source == "projected":
            return _projected(volume[source], mode, world)
        return _one(source, volume[source], mode, world)
    raise VolumeError(f"not a volume of files: {', '.join(volume)}")


def _projected(source: Object, mode: int, world: World) -> Files:
    found: Files = {}
    for part in source.get("sources") or []:
        for kind, body in part.items():
            found |= _one(kind, body, mode, world)
    return found


def _one(kind: str, source: Object, mode: int, world: World) -> Files:
    if kind == "configMap":
        return _of_object("configmaps", "config", source, source["name"], mode, world)
    if kind == "secret":
        name = source.get("secretName") or source["name"]
        return _of_object("secrets", "secret", source, name, mode, world)
    if kind == "downwardAPI":
        return {item["path"]: _downward(item, mode, world) for item in source.get("items") or []}
    if kind == "serviceAccountToken":
        return {source["path"]: File(world.issue_token().encode(), mode, private=True)}
    raise VolumeError(f"the sandbox does not know projected source {kind}")


def _of_object(resource: str, word: str, source: Object, name: str, mode: int, world: World) -> Files:
    obj = world.lookup(resource, name)
    optional = source.get("optional", False)
    if obj is None:
        if optional:
            return {}
        raise VolumeError(f'{resource.removesuffix("s")} "{name}" not found')
    data = binary_data(obj)
    if not source.get("items"):
        return {key: File(content, mode) for key, content in data.items()}
    missing = [item["key"] for item in source["items"] if item["key"] not in data]
    if missing and not optional:
        what = "configmap references" if word == "config" else "references"
        raise VolumeError(f"{what} non-existent {word} key: {missing[0]}")
    wanted = [item for item in source["items"] if item["key"] in data]
    return {item["path"]: File(data[item["key"]], item.get("mode", mode)) for item in wanted}


def _downward(item: Object, mode: int, world: World) -> File:
    if "fieldRef" in item:
        text = field_value(world.pod, item["fieldRef"]["fieldPath"])
    else:
        text = resource_value(world.pod, "", item["resourceFieldRef"], world.capacity)
    return File(text.encode(), item.get("mode", mode))
