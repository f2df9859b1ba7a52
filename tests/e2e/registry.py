"""A real registry (Debian's docker-registry) on loopback: TLS, and one user who may pull."""

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster import wait_for
from tests.unit.fake_registry import write_certificate

USER, PASSWORD = "puller", "pull-me"
# htpasswd -nbB; the registry takes nothing but bcrypt.
HTPASSWD = f"{USER}:$2y$05$USLmljmD6WnP9DslhnnJZuQY9K1XSZ4.BkNIMjOQ58jqnOj7D7P.u\n"
CONFIG = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/storage}}}}
http: {{addr: "{host}", tls: {{certificate: {certificate}, key: {certificate}}}}}
auth: {{htpasswd: {{realm: rescue, path: {folder}/htpasswd}}}}
"""


@dataclass(frozen=True)
class Registry:
    """A registry that runs: its ``host:port``, and the certificate by which its clients know it."""

    host: str
    certificate: Path
    process: subprocess.Popen[bytes]

    def push(self, image: str) -> None:
        """Push an image of podman that has this registry in its name."""
        login = ["--creds", f"{USER}:{PASSWORD}", "--tls-verify=false"]
        subprocess.run(["podman", "push", "--quiet", *login, image], check=True, capture_output=True, timeout=120)

    def stop(self) -> None:
        """From now on nobody answers at its address."""
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def running() -> Iterator[Registry]:
    """A registry with nothing in it, for as long as the context lasts."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as free:
        folder, host = Path(name), f"127.0.0.1:{free.getsockname()[1]}"
        certificate = write_certificate(folder / "server.pem")
        (folder / "htpasswd").write_text(HTPASSWD)
        (folder / "config.yml").write_text(CONFIG.format(folder=folder, host=host, certificate=certificate))
        free.close()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=subprocess.STDOUT
            )
        registry = Registry(host, certificate, process)
        try:
            wait_for("the registry", lambda: _answers(host) or _ended(process, folder / "log"), 30)
            yield registry
        finally:
            registry.stop()


def _answers(host: str) -> bool:
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port)), 1).close()
    except OSError:
        return False
    return True


def _ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Never true; AssertionError with the registry's own words when it has ended."""
    assert process.poll() is None, log.read_text()
    return False
