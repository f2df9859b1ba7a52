"""The credentials that a pod gives for its images: imagePullSecrets as the file that podman reads; pure."""

import json
from base64 import b64decode
from typing import Any

from rescue.sandbox.kubelet.env import Lookup
from rescue.sandbox.store import Object

# Type of a Secret -> its key.
_KEYS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}


def auth_file(pod: Object, lookup: Lookup) -> tuple[dict[str, Any], list[str]]:
    """The content of an authfile with all of the pod's pull secrets, and the names of those that are missing."""
    auths: dict[str, Any] = {}
    missing = []
    for reference in pod["spec"].get("imagePullSecrets", []):
        secret = lookup("secrets", reference["name"])
        if secret is None:
            missing.append(reference["name"])
        elif secret.get("type") in _KEYS:
            auths |= {_place(name): auth for name, auth in _auths(secret).items()}
    return {"auths": auths}, missing


def _auths(secret: Object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b64decode(secret["data"][_KEYS[secret["type"]]]))
    entries: dict[str, Any] = found.get("auths", found) if secret["type"].endswith("json") else found
    return entries


def _place(name: str) -> str:
    """``https://registry.example/v1/`` is the same as ``registry.example``."""
    name = name.removeprefix("https://").removeprefix("http://").rstrip("/")
    return name.removesuffix("/v1").removesuffix("/v2")
