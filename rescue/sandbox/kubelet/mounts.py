"""The volumeMounts of a container as podman options."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from rescue.sandbox.kubelet.env import ConfigError
from rescue.sandbox.kubelet.expand import expand
from rescue.sandbox.store import Object


def mount_options(
    pod: Object, container: Object, volumes: Mapping[str, Path], images: Mapping[str, str], env: Mapping[str, str]
) -> list[str]:
    """``--mount`` options; ``volumes`` by name, ``images``: the reference behind each image volume."""
    fixed = read_only_volumes(pod)
    options: list[str] = []
    for mount in container.get("volumeMounts", []):
        name, target = mount["name"], mount["mountPath"]
        if name in images:
            options += _option({"type": "image", "src": images[name], "dst": target, "rw": "false"})
        else:
            source = _source(volumes[name], mount, env)
            options += bind_option(source, target, read_only=mount.get("readOnly", False) or name in fixed)
    return options


def read_only_volumes(pod: Object) -> set[str]:
    """The volumes that are read-only in every container: claims taken with ``readOnly``."""
    volumes = pod["spec"].get("volumes", [])
    return {volume["name"] for volume in volumes if volume.get("persistentVolumeClaim", {}).get("readOnly")}


def bind_option(source: Path, target: str, *, read_only: bool) -> list[str]:
    """One bind mount."""
    read = {"ro": "true"} if read_only else {}
    return _option({"type": "bind", "src": str(source), "dst": target, "bind-propagation": "rprivate"} | read)


def _source(volume: Path, mount: Object, env: Mapping[str, str]) -> Path:
    part = expand(mount["subPathExpr"], env) if mount.get("subPathExpr") else mount.get("subPath", "")
    if not part:
        return volume
    source = (volume / part).resolve()
    if not source.is_relative_to(volume.resolve()):
        raise ConfigError(f'failed to prepare subPath for volumeMount "{mount["name"]}"')
    if not source.exists():
        # As the kubelet does: a missing subPath becomes a folder.
        source.mkdir(parents=True)
        source.chmod(0o777)
    return source


def _option(fields: Mapping[str, str]) -> list[str]:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([f"{key}={value}" for key, value in fields.items()])
    return ["--mount", text.getvalue()]
