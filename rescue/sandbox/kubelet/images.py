"""Images that podman has."""

import re
from dataclasses import dataclass, replace
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
    # ``repository@sha256:…`` for one that was pulled; one that was loaded by hand has only its id.
    pulled: str = ""


class Images:
    """The images on this machine."""

    def __init__(self, podman: Podman) -> None:
        self._podman = podman
        self._digests: dict[tuple[str, str], str] = {}

    async def pulled(self, reference: str) -> Image:
        """The image after it was pulled; from now on its digest is known."""
        name = normalised(reference)
        found = await self._podman.json("image", "inspect", name)
        # Of the digests of its manifests, podman calls the last one that came with it its own.
        repository = _repository(name)
        self._digests[repository, found[0]["Id"]] = f"{repository}@{found[0]['Digest']}"
        return self._image(name, found[0])

    async def find(self, reference: str) -> Image | None:
        """The image, by its full name first and then as podman finds it; None when it is not here."""
        for name in dict.fromkeys((normalised(reference), reference)):
            try:
                found = await self._podman.json("image", "inspect", name)
            except PodmanError:
                continue
            return self._image(normalised(reference), found[0])
        return None

    def _image(self, name: str, found: dict[str, Any]) -> Image:
        return replace(_image(name, found), pulled=self._digests.get((_repository(name), found["Id"]), ""))


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


def _repository(name: str) -> str:
    match = _REFERENCE.fullmatch(name)
    return match["name"] if match else name


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
