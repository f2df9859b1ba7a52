"""Reading an image's config as one login, with the client dxf.

Measured against it, oras 0.2.43 spends 131 s on a registry that is down (no time-outs, and five retries of its own),
answers no Basic challenge where it expects a token, asks docker.io itself for Hub images, lets ~/.docker/config.json
win over the credentials that it is given, and does not verify digests.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from rescue.credentials import Credential
from rescue.errors import ExitCode, RescueError
from rescue.image import Reference
from rescue.model import JsonObject

if TYPE_CHECKING:  # Importing it takes 0.1 s: only a lookup pays for it.
    from dxf import DXF, DXFBase
    from requests import Response

SECONDS = 5.0  # for a connection, and between two bytes
LARGEST_CONFIG = 8 * 1024 * 1024  # bytes
MOST_PLATFORMS = 16

Result = TypeVar("Result")


@dataclass(frozen=True)
class Found:
    """An image's config as a registry keeps it, and the digests on the way to it: index, manifest, config."""

    config: JsonObject
    platform: str
    digests: frozenset[str]


class Refused(Exception):
    """The registry does not show the image to this login; another one may see it."""


def read_configs(image: Reference, login: Credential | None, architecture: str) -> list[Found]:
    """The configs of the image's Linux platforms, or of the one architecture; every digest is verified.

    Plain HTTP is spoken only on the loopback interface, and without the login.
    Raises Refused, or RescueError (cluster) when no login would help.
    """
    from requests.exceptions import SSLError

    try:
        return _told(image, lambda: _fetch(image, login, architecture, insecure=False))
    except SSLError as error:
        if image.is_loopback:
            return _told(image, lambda: _fetch(image, login, architecture, insecure=True))
        raise problem(f"{image.host} has no certificate that this machine trusts: {_cause(error)}") from error


def problem(message: str) -> RescueError:
    """The error when the registry does not tell."""
    return RescueError(message, "give the command yourself, after --", ExitCode.CLUSTER)


def _fetch(image: Reference, login: Credential | None, architecture: str, insecure: bool) -> list[Found]:
    from dxf import DXF

    with DXF(image.api_host, image.path, _login(image, login), insecure, timeout=SECONDS) as client:
        top, digest = _manifest(client, image.version)
        if "manifests" not in top:
            return [_config(client, top, "", {digest})]
        entries = _linux(top["manifests"], architecture)
        if not entries:
            raise problem(f"{image} has no image for linux/{architecture or 'any'}")
        if len(entries) > MOST_PLATFORMS:
            raise problem(f"{image} has images for {len(entries)} platforms, and the node's is not known")
        return [_of_platform(client, entry, digest) for entry in entries]


def _linux(entries: Sequence[JsonObject], architecture: str) -> list[JsonObject]:
    """The entries of an index that a node may run; attestations call their platform unknown."""
    platforms = [(entry, entry.get("platform") or {}) for entry in entries]
    return [
        entry
        for entry, platform in platforms
        if platform.get("os") == "linux" and architecture in ("", platform.get("architecture"))
    ]


def _of_platform(client: "DXF", entry: JsonObject, index: str) -> Found:
    manifest, digest = _manifest(client, str(entry["digest"]))
    platform = entry["platform"]
    name = "/".join(str(platform[key]) for key in ("os", "architecture", "variant") if platform.get(key))
    return _config(client, manifest, name, {index, digest})


def _manifest(client: "DXF", version: str) -> tuple[JsonObject, str]:
    """A manifest or index and its digest, which must be the one that was asked for."""
    from dxf import hash_bytes

    text, _ = client.get_manifest_and_response(version)
    digest = hash_bytes(text.encode())
    if ":" in version and version != digest:
        raise problem(f"asked for {version}, the registry sent {digest}")
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("a manifest is an object")
    return content, digest


def _config(client: "DXF", manifest: JsonObject, platform: str, digests: set[str]) -> Found:
    if "config" not in manifest:
        raise problem("its manifest is of a format that names no config (schema 1)")
    digest = str(manifest["config"]["digest"])
    content = b""
    for chunk in cast("Iterable[bytes]", client.pull_blob(digest)):  # It verifies the digest at the end.
        content += chunk
        if len(content) > LARGEST_CONFIG:
            raise problem(f"its config is larger than {LARGEST_CONFIG} bytes")
    config = json.loads(content).get("config") or {}
    return Found(config, platform, frozenset({*digests, digest}))


def _login(image: Reference, login: Credential | None) -> "Callable[[DXFBase, Response], None]":
    """How to answer when the registry asks who we are."""

    def answer(client: "DXFBase", response: "Response") -> None:
        if login is None:
            client.authenticate(actions=["pull"], response=response)
        elif login.identity:
            client.token = _token(image, login.identity, response)
        else:
            client.authenticate(login.user, login.password, ["pull"], response)

    return answer


def _token(image: Reference, identity: str, response: "Response") -> str:
    """An access token for a refresh token (https://distribution.github.io/distribution/spec/auth/oauth)."""
    import requests
    import www_authenticate

    challenge = www_authenticate.parse(response.headers["www-authenticate"])["bearer"]
    if not challenge["realm"].startswith("https://"):
        raise Refused("the registry wants the login sent in the clear")
    form = {"grant_type": "refresh_token", "client_id": "rescue", "refresh_token": identity}
    form |= {"service": challenge.get("service", ""), "scope": f"repository:{image.path}:pull"}
    answer = requests.post(challenge["realm"], data=form, timeout=SECONDS)
    if answer.status_code != 200:
        raise Refused(f"no token (HTTP {answer.status_code})")
    return str(answer.json()["access_token"])


def _told(image: Reference, work: Callable[[], Result]) -> Result:
    """Run ``work``; what the client raises, in words. A broken TLS handshake goes through."""
    import dxf.exceptions as dxf
    from requests.exceptions import HTTPError, RequestException, SSLError

    try:
        return work()
    except (dxf.DXFUnauthorizedError, dxf.DXFAuthInsecureError) as error:
        clear = isinstance(error, dxf.DXFAuthInsecureError)
        raise Refused("it wants a login, and that is not sent in the clear" if clear else "not allowed") from error
    except HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403, 404):
            raise Refused("not found" if status == 404 else "not allowed") from error
        raise problem(f"{image.host} answered with HTTP {status}") from error
    except SSLError:
        raise
    except RequestException as error:
        raise problem(f"the registry {image.host} does not answer: {_cause(error)}") from error
    except (dxf.DXFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise problem(f"{image.host} did not answer as a registry: {type(error).__name__}: {error}") from error


def _cause(error: Exception) -> str:
    """The reason at the bottom of what requests and urllib3 wrap."""
    reason = error.args[0] if error.args else error
    return str(getattr(reason, "reason", reason)).rsplit("): ", 1)[-1]
