"""Pulling images: from registries on this machine; no other is asked, as on a node without a network."""

import ipaddress
import json
import logging
import tempfile
from typing import Any

from rescue.sandbox.kubelet.images import Image, Images, normalised
from rescue.sandbox.kubelet.podman import Podman, PodmanError

LOG = logging.getLogger(__name__)
# What podman says -> what containerd says in its place.
_DENIED = ("unauthorized", "authentication required", "access denied", "denied:")
_ABSENT = ("manifest unknown", "name unknown", "repository name not known", "not found")


class PullError(Exception):
    """An image could not be pulled; the text is that of ErrImagePull, in containerd's words."""


class Pulls:
    """Pulls images into podman, and forgets those that it brought."""

    def __init__(self, podman: Podman, images: Images) -> None:
        self._podman = podman
        self._images = images
        self._brought: set[str] = set()

    def reachable(self, reference: str) -> bool:
        """Whether the image's registry is on this machine."""
        host = normalised(reference).partition("/")[0].rpartition(":")[0]
        try:
            return ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            return host == "localhost"

    async def pull(self, reference: str, auths: dict[str, Any]) -> Image:
        """Pull with the credentials of an authfile's content; PullError."""
        if not self.reachable(reference):
            raise PullError(_no_such_host(reference))
        name = normalised(reference)
        known = await self._images.find(reference) is not None
        try:
            await self._pull(name, auths)
        except PodmanError as error:
            raise PullError(_words(name, error.text, bool(auths["auths"]))) from None
        if not known:
            self._brought.add(name)
        return await self._images.pulled(reference)

    async def forget(self) -> None:
        """Remove the images that were not here before."""
        for name in self._brought:
            try:
                # Without force: only the name goes when the image has another one.
                await self._podman.call("rmi", "--ignore", name)
            except PodmanError as error:
                LOG.warning("image %s stays: %s", name, error.text)
        self._brought.clear()

    async def _pull(self, name: str, auths: dict[str, Any]) -> None:
        # A file of its own: what the host's user is logged in to is none of a pod's business.
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(auths, file)
            file.flush()
            await self._podman.call("pull", "--quiet", "--tls-verify=false", "--authfile", file.name, name)


def _no_such_host(reference: str) -> str:
    host = normalised(reference).partition("/")[0]
    server = "registry-1.docker.io" if host == "docker.io" else host
    return f"{_head(normalised(reference), 'https', server)}: dial tcp: lookup {server}: no such host"


def _words(name: str, said: str, given: bool) -> str:
    server = name.partition("/")[0]
    start = f'failed to pull and unpack image "{name}": failed to resolve image'
    lower = said.lower()
    if "connection refused" in lower:
        return f"{_head(name, 'http', server)}: dial tcp {server}: connect: connection refused"
    if any(word in lower for word in _DENIED) and not given:
        why = "authorization failed: no basic auth credentials"
        return f"{start}: pull access denied, repository does not exist or may require authorization: {why}"
    if any(word in lower for word in _DENIED):
        url = _manifest(name, "https", server)
        return f"{start}: unexpected status from HEAD request to {url}: 401 Unauthorized"
    if any(word in lower for word in _ABSENT):
        return f"{start}: {name}: not found"
    return f"{start}: {said}"


def _head(name: str, scheme: str, server: str) -> str:
    start = f'failed to pull and unpack image "{name}": failed to resolve image: failed to do request'
    return f'{start}: Head "{_manifest(name, scheme, server)}"'


def _manifest(name: str, scheme: str, server: str) -> str:
    _, _, path = name.partition("/")
    repository, _, version = path.partition("@") if "@" in path else path.rpartition(":")
    return f"{scheme}://{server}/v2/{repository}/manifests/{version}"
