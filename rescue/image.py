"""Images: what a reference names, which image a container really runs, and the command that an image's config gives.

Pure.  References are read as the container runtimes normalise them (github.com/distribution/reference).
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rescue.model import JsonObject
from rescue.unstarted import statuses

HUB = "docker.io"
_HUB_API = "registry-1.docker.io"
_HUB_NAMES = (HUB, "index.docker.io")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BARE_ID = re.compile(r"[0-9a-f]{64}")  # as CRI-O and older runtimes spell an image's id


@dataclass(frozen=True)
class Reference:
    """An image reference in its full form; ``tag`` and ``digest`` are empty when it names none."""

    host: str
    path: str
    tag: str
    digest: str

    @property
    def repository(self) -> str:
        """``registry/path``, as credentials are matched with it and statuses spell it."""
        return f"{self.host}/{self.path}"

    @property
    def api_host(self) -> str:
        """The host that answers for the registry."""
        return _HUB_API if self.host == HUB else self.host

    @property
    def version(self) -> str:
        """What to ask the registry for: the digest, which cannot move, else the tag."""
        return self.digest or self.tag or "latest"

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on the loopback interface of whoever reads the name."""
        name = _host_name(self.host)
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.repository}{tag}{digest}"


def parse(text: str) -> Reference:
    """The parts of an image reference; never fails: whether such an image exists only the registry knows."""
    name, _, digest = text.partition("@")
    head, slash, tail = name.rpartition("/")
    tail, _, tag = tail.partition(":")
    first, _, rest = f"{head}{slash}{tail}".partition("/")
    if not rest or not (set(".:") & set(first) or first == "localhost"):
        first, rest = HUB, f"{head}{slash}{tail}"
    host = HUB if first in _HUB_NAMES else first
    path = f"library/{rest}" if host == HUB and "/" not in rest else rest
    return Reference(host, path, tag, digest)


def digest_of(image_id: str) -> str:
    """The digest in a status' ``imageID``: of the manifest, or of the config of an image that came without a registry.

    Empty when there is none.
    """
    found = _DIGEST.search(image_id)
    if found:
        return found[0]
    return f"sha256:{image_id}" if _BARE_ID.fullmatch(image_id) else ""


def running_id(pod: JsonObject, container: JsonObject) -> str:
    """The ``imageID`` of what this container was started from; empty when it never was, or had another image then.

    A pod's image may be changed while it is there; until the new one is pulled the status tells of the old one.
    """
    wanted = parse(str(container["image"]))
    for entry in statuses(pod):
        if entry.get("name") == container["name"]:
            ran = parse(str(entry.get("image", "")))
            changed = ran.repository == wanted.repository and ran.tag and wanted.tag and ran.tag != wanted.tag
            return "" if changed else str(entry.get("imageID", ""))
    return ""


def running_digest(pod: JsonObject, container: JsonObject) -> str:
    """The digest of the image that this container of the pod was started from; empty when it is not known."""
    return digest_of(running_id(pod, container))


def pinned_image(pod: JsonObject, container: JsonObject) -> str:
    """The image at the digest that the status reports; as it is when an image was loaded by hand and has none."""
    image = str(container["image"])
    pinned = running_id(pod, container).removeprefix("docker-pullable://")
    return pinned if "@" in pinned and parse(pinned).repository == parse(image).repository else image


def literal(words: Sequence[str]) -> tuple[str, ...]:
    """Words that Kubernetes would not expand, spelt so that it leaves them as they are: every ``$`` doubled."""
    return tuple(word.replace("$", "$$") for word in words)


def image_words(config: JsonObject, field: str) -> tuple[str, ...]:
    """ENTRYPOINT or CMD of an image's config (``Entrypoint``, ``Cmd``); a missing, null or empty list is none."""
    words = config.get(field) or ()
    return (words,) if isinstance(words, str) else tuple(str(word) for word in words)


def full_command(container: JsonObject, config: JsonObject) -> tuple[tuple[str, ...], str]:
    """What a container without ``command`` runs, ready for ``args``, and in words what it is made of.

    ``args`` of the spec replaces CMD; an empty list is as good as none.  Both empty: nothing is known.
    """
    entrypoint = literal(image_words(config, "Entrypoint"))
    given = tuple(container.get("args") or ())
    cmd = literal(image_words(config, "Cmd"))
    rest, name = (given, "the pod's args") if given else (cmd, "CMD")
    parts = [part for part, words in (("ENTRYPOINT", entrypoint), (name, rest)) if words]
    return (*entrypoint, *rest), " and ".join(parts)


def _host_name(host: str) -> str:
    """A host without its port; brackets of an IPv6 address are taken off."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
