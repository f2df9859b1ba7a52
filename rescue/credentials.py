"""Which credentials a registry is offered for an image: those that the kubelet would find, in its order.

Pure.  The rules are those of Kubernetes' pkg/credentialprovider: the keys of all documents are sorted backwards,
so that a longer path comes before a shorter one; each label of a host may be a glob; a path matches as a prefix.
"""

import base64
import binascii
import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rescue.image import HUB, Reference
from rescue.model import JsonObject

_HUB_KEYS = ("index.docker.io", "registry-1.docker.io")
# A credential helper that answers with this user gives an OAuth2 refresh token.
TOKEN_USER = "<token>"


@dataclass(frozen=True)
class Credential:
    """A login; ``source`` says whose it is, and is all that may be shown.  ``identity`` is a refresh token."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    identity: str = field(repr=False, default="")
    source: str = ""


@dataclass(frozen=True)
class Document:
    """One file or Secret with logins: the table of its ``auths``, and where it comes from."""

    auths: Mapping[str, Any] = field(repr=False)
    source: str


def pull_secrets(pod: JsonObject) -> list[str]:
    """The names of the pod's imagePullSecrets; admission has put those of its ServiceAccount among them."""
    return [str(entry["name"]) for entry in pod["spec"].get("imagePullSecrets") or () if entry.get("name")]


def document(content: Any, source: str) -> Document:
    """The logins of a ``config.json``; anything else has none.  A ``.dockercfg`` is such an ``auths`` by itself."""
    auths = content.get("auths") if isinstance(content, dict) else None
    return Document(auths if isinstance(auths, dict) else {}, source)


def matching(documents: Iterable[Document], image: Reference) -> list[Credential]:
    """Every login for the image, the most specific first; entries that nobody can read are left out."""
    found = [
        (location(key), credential)
        for entry in documents
        for key, login in entry.auths.items()
        if matches(location(key), image) and (credential := _credential(login, entry.source))
    ]
    # Stable: of two logins under one key, the earlier document's comes first.
    return [credential for _, credential in sorted(found, key=lambda pair: pair[0], reverse=True)]


def helper_of(config: JsonObject, image: Reference) -> Iterator[tuple[str, str]]:
    """(helper, server) pairs to ask, from docker's ``credHelpers`` and ``credsStore``; the exact host comes first."""
    servers = (image.host, "https://index.docker.io/v1/") if image.host == HUB else (image.host,)
    helpers = config.get("credHelpers") or {}
    yield from ((str(helpers[server]), server) for server in servers if helpers.get(server))
    if config.get("credsStore"):
        yield from ((str(config["credsStore"]), server) for server in reversed(servers))


def matches(place: str, image: Reference) -> bool:
    """Whether a key of ``auths`` (without its scheme) is for the image: host label by label, path as a prefix."""
    host, slash, path = place.partition("/")
    host = HUB if host in _HUB_KEYS else host
    pattern, _, port = host.partition(":")
    name, _, its_port = image.host.partition(":")
    labels, its_labels = pattern.split("."), name.split(".")
    if port != its_port or len(labels) != len(its_labels):
        return False
    alike = all(fnmatch.fnmatchcase(label, glob) for glob, label in zip(labels, its_labels, strict=True))
    return alike and f"/{image.path}".startswith(slash + path)


def location(key: str) -> str:
    """A key without scheme and API version: ``https://index.docker.io/v1/`` is ``index.docker.io``."""
    return re.sub(r"^([^/]+)/v[12](?=/|$)", r"\1", re.sub(r"^https?://", "", key)).rstrip("/")


def _credential(login: Any, source: str) -> Credential | None:
    if not isinstance(login, dict):
        return None
    user, password = str(login.get("username") or ""), str(login.get("password") or "")
    if login.get("auth"):
        user, password = _decoded(str(login["auth"]))
    identity = str(login.get("identitytoken") or "")
    return Credential(user, password, identity, source) if user or identity else None


def _decoded(auth: str) -> tuple[str, str]:
    """User and password of an ``auth`` field, with or without the padding of base64; empty when it is none."""
    padded = auth.strip() + "=" * (-len(auth.strip()) % 4)
    try:
        user, colon, password = base64.b64decode(padded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password.strip("\x00")) if colon else ("", "")
