"""The logins for an image: those of the pod's imagePullSecrets, then those of this machine's files and helpers.

What cannot be read is told, not raised: another login, or none at all, may do.
"""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rescue.credentials import TOKEN_USER, Credential, Document, document, helper_of, matching, pull_secrets
from rescue.image import Reference
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.model import JsonObject

HELPER_SECONDS = 5
_DOCKER_CONFIG_JSON, _DOCKERCFG = ".dockerconfigjson", ".dockercfg"


@dataclass
class Logins:
    """Logins in the order to try them, and why others are missing."""

    credentials: list[Credential] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def find_logins(cluster: Cluster | None, pod: JsonObject, image: Reference) -> Logins:
    """Every login that there is for the image, without the anonymous one; ``cluster`` None: only local ones."""
    found = Logins()
    if cluster is not None:
        secrets = [secret for name in pull_secrets(pod) for secret in _read_secret(cluster, pod, name, found.problems)]
        found.credentials += matching(secrets, image)
    for path in config_files(os.environ, Path.home()):
        found.credentials += _local(path, image, found.problems)
    return found


def config_files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where docker, podman and their kin keep logins, the ones to ask first first."""
    docker = environ.get("DOCKER_CONFIG")
    yield (Path(docker) if docker else home / ".docker") / "config.json"
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"


def _read_secret(cluster: Cluster, pod: JsonObject, name: str, problems: list[str]) -> Iterator[Document]:
    source = f"imagePullSecret {name!r}"
    try:
        data = cluster.get("secrets", pod["metadata"].get("namespace", cluster.namespace), name).get("data") or {}
    except ClusterError as error:
        problems.append(f"{source}: {error.message}")
        return
    try:
        if _DOCKER_CONFIG_JSON in data:
            yield document(_decoded(data[_DOCKER_CONFIG_JSON]), source)
        elif _DOCKERCFG in data:
            yield document({"auths": _decoded(data[_DOCKERCFG])}, source)
        else:
            problems.append(f"{source}: it has neither {_DOCKER_CONFIG_JSON} nor {_DOCKERCFG}")
    except ValueError:  # The cause would quote the Secret.
        problems.append(f"{source}: its content is no JSON")


def _decoded(value: str) -> Any:
    try:
        return json.loads(base64.b64decode(value))
    except binascii.Error as error:
        raise ValueError from error


def _local(path: Path, image: Reference, problems: list[str]) -> list[Credential]:
    """The logins of one file of this machine; helpers that it names come first, as in docker."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        problems.append(f"{path}: {error.strerror if isinstance(error, OSError) else 'it is no JSON'}")
        return []
    if not isinstance(content, dict):
        return []
    asked = (_ask(helper, server, problems) for helper, server in helper_of(content, image))
    helped = next((credential for credential in asked if credential), None)
    return [*([helped] if helped else []), *matching([document(content, str(path))], image)]


def _ask(helper: str, server: str, problems: list[str]) -> Credential | None:
    """What ``docker-credential-HELPER get`` knows about a server; None when it knows none or fails."""
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"], input=server.encode(), capture_output=True, timeout=HELPER_SECONDS, check=True
        )
        answer = json.loads(done.stdout)
        user, secret = str(answer["Username"]), str(answer["Secret"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as error:
        problems.append(f"{program}: no login for {server} ({type(error).__name__})")  # its output may hold secrets
        return None
    if user == TOKEN_USER:
        return Credential("", "", secret, program)
    return Credential(user, secret, "", program)
