"""The kubeconfig of a sandbox."""

import base64
import json
import os
from pathlib import Path
from typing import Any

USER_NAME = "rescue-sandbox-admin"


def build(name: str, url: str, authority: str, token: str) -> dict[str, Any]:
    """The document; its one context is ``rescue-NAME`` (``rescue-sandbox`` for the default one)."""
    context = "rescue-sandbox" if name == "default" else f"rescue-sandbox-{name}"
    data = base64.b64encode(authority.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": url, "certificate-authority-data": data}}],
        "users": [{"name": USER_NAME, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": USER_NAME, "namespace": "default"}}],
        "current-context": context,
    }


def write(path: Path, document: dict[str, Any]) -> None:
    """Write it for the owner alone (0600); JSON is YAML.  It appears complete or not at all."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=1)
    new.rename(path)


def server_of(path: Path) -> tuple[str, str]:
    """(URL, authority's PEM) of a kubeconfig that ``write`` made."""
    cluster = json.loads(path.read_text("utf-8"))["clusters"][0]["cluster"]
    return cluster["server"], base64.b64decode(cluster["certificate-authority-data"]).decode()
