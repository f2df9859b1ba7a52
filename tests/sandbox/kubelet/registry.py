"""Debian's docker-registry on loopback over plain HTTP, with one user."""

import json
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rescue.sandbox.store import Object
from tests.sandbox.kubelet.pods import NAMESPACE, PATIENCE

USER, PASSWORD = "puller", "pull-me"
# htpasswd -nbB; the registry takes nothing but bcrypt.
_HTPASSWD = f"{USER}:$2y$05$USLmljmD6WnP9DslhnnJZuQY9K1XSZ4.BkNIMjOQ58jqnOj7D7P.u\n"
_CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/storage}}}}
http: {{addr: "{host}"}}
auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}
"""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """``host:port`` of an empty registry for as long as the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "htpasswd").write_text(_HTPASSWD)
    (folder / "config.yml").write_text(_CONFIG.format(folder=folder, host=host))
    with (folder / "log").open("wb") as log:
        command = ["docker-registry", "serve", str(folder / "config.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(host, process, folder / "log")
        yield host
    finally:
        process.terminate()
        process.wait(PATIENCE)


def push(image: str, name: str) -> None:
    """Push an image of podman under another name, which is gone from podman afterwards."""
    for command in (
        ["tag", image, name],
        ["push", "--quiet", "--creds", f"{USER}:{PASSWORD}", "--tls-verify=false", name],
        ["untag", image, name],  # without a name all of them would go
    ):
        subprocess.run(["podman", *command], check=True, capture_output=True, timeout=PATIENCE)


def pull_secret(name: str, host: str, password: str = PASSWORD) -> Object:
    """A Secret with the credentials of a user of the registry."""
    auth = b64encode(f"{USER}:{password}".encode()).decode()
    content = json.dumps({"auths": {f"http://{host}/v2/": {"auth": auth}}}).encode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {".dockerconfigjson": b64encode(content).decode()},
    }


def _wait(host: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    name, _, port = host.partition(":")
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "the registry does not answer"
        try:
            socket.create_connection((name, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)
