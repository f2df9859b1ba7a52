"""Images that podman has; there is no registry behind them."""

import re
from dataclasses import dataclass
from typing import Any

from rescue.sandbox.kubelet.podman import Podman, PodmanError

_REFERENCE = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>.+))?")


@dataclass(frozen=True)
class Image:
    """What the kubelet needs of an image; ``name`` is the full reference, ``id`` is ``sha256:…``."""

    name: str
    id: str
    user: str
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    stop_signal: str
    size: int


class Images:
    """The images on this machine."""

    def __init__(self, podman: Podman) -> None:
        self._podman = podman

    async def find(self, reference: str) -> Image | None:
        """The image, by its full name first and then as podman finds it; None when it is not here."""
        for name in dict.fromkeys((normalised(reference), reference)):
            try:
                found = await self._podman.json("image", "inspect", name)
            except PodmanError:
                continue
            return _image(normalised(reference), found[0])
        return None


def normalised(reference: str) -> str:
    """``busybox`` → ``docker.io/library/busybox:latest``, as every Kubernetes runtime completes it; pure."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return reference
    name, tag, digest = match["name"], match["tag"], match["digest"]
    host, _, rest = name.partition("/")
    if not rest:
        name = f"docker.io/library/{name}"
    elif not ("." in host or ":" in host or host == "localhost"):
        name = f"docker.io/{name}"
    if digest:
        return f"{name}{':' + tag if tag else ''}@{digest}"
    return f"{name}:{tag or 'latest'}"


def pull_error(reference: str) -> str:
    """The message of ErrImagePull where no registry can be reached, in containerd's words; pure."""
    name = normalised(reference)
    host, _, path = name.partition("/")
    server = "registry-1.docker.io" if host == "docker.io" else host
    repository, _, version = path.partition("@") if "@" in path else path.rpartition(":")
    return (
        f'failed to pull and unpack image "{name}": failed to resolve image: failed to do request: '
        f'Head "https://{server}/v2/{repository}/manifests/{version}": '
        f"dial tcp: lookup {server}: no such host"
    )


def _image(name: str, found: dict[str, Any]) -> Image:
    config = found.get("Config") or {}
    return Image(
        name=name,
        id=f"sha256:{found['Id'].removeprefix('sha256:')}",
        user=config.get("User", ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        cmd=tuple(config.get("Cmd") or ()),
        stop_signal=config.get("StopSignal") or "SIGTERM",
        size=int(found.get("Size", 0)),
    )
