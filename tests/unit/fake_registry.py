"""A registry on loopback: the read half of the distribution API, with the logins that real ones ask for."""

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
USER, PASSWORD, IDENTITY, TOKEN = "puller", "pull-me", "refresh-me", "token-for-team-shop"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass
class FakeRegistry:
    """What it holds, how it asks for a login (``none``, ``basic``, ``bearer``), and what it was asked."""

    auth: str = "none"
    statuses: list[int] = field(default_factory=list)  # answered first, one a request
    contents: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # method, path with query, Authorization
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    url: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def put(self, content: Any, media_type: str = "application/json") -> str:
        """Keep a document; its digest."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.contents[digest] = (media_type, data)
        return digest

    def image(self, tag: str = "", **config: Any) -> str:
        """Keep an image with this config; its manifest's digest."""
        blob = self.put({"os": "linux", "config": config})
        content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": blob}, "layers": []}
        digest = self.put(content, MANIFEST)
        self.contents[tag or digest] = self.contents[digest]
        return digest

    def index(self, tag: str, images: dict[str, str]) -> str:
        """Keep an index: ``os/architecture`` to the digest of a manifest."""
        entries = []
        for platform, digest in images.items():
            system, _, architecture = platform.partition("/")
            entries.append({"digest": digest, "platform": {"os": system, "architecture": architecture}})
        digest = self.put({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX)
        self.contents[tag] = self.contents[digest]
        return digest

    def config_digest(self, digest: str) -> str:
        """The digest of an image's config, by that of its manifest."""
        return str(json.loads(self.contents[digest][1])["config"]["digest"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: FakeRegistry

    def do_GET(self) -> None:
        self._note()
        path = urlsplit(self.path).path
        if path == "/token":
            allowed = self.headers["Authorization"] == BASIC
            return self._answer(200 if allowed else 401, {"token": TOKEN} if allowed else {})
        if self.registry.statuses:
            return self._answer(self.registry.statuses.pop(0), {})
        challenge = self._challenge()
        if challenge:
            return self._answer(401, {}, {"WWW-Authenticate": challenge})
        media_type, data = self.registry.contents.get(path.rpartition("/")[2], ("", b""))
        if not media_type:
            return self._answer(404, {})
        return self._send(200, data, {"Content-Type": media_type})

    def do_POST(self) -> None:
        self._note()
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.registry.forms.append(form)
        allowed = form.get("refresh_token") == [IDENTITY]
        self._answer(200 if allowed else 401, {"access_token": TOKEN} if allowed else {})

    def _challenge(self) -> str:
        """What to ask for; empty when the login that came is right."""
        given = self.headers["Authorization"]
        wanted = {"none": given, "basic": BASIC, "bearer": f"Bearer {TOKEN}"}[self.registry.auth]
        if given == wanted:
            return ""
        if self.registry.auth == "basic":
            return 'Basic realm="a registry"'
        scope = 'scope="repository:team/shop:pull"'
        return f'Bearer realm="{self.registry.url}/token",service="shop.example",{scope}'

    def _note(self) -> None:
        self.registry.requests.append((self.command, self.path, self.headers["Authorization"] or ""))

    def _answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), headers or {})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(registry: FakeRegistry, certificate: Path | None) -> Iterator[FakeRegistry]:
    """The registry on a free port; over TLS with ``certificate``, else in the clear."""
    handler = type("Handler", (_Handler,), {"registry": registry})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        registry.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()


def write_certificate(path: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rescue tests")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    certificate = builder.add_extension(names, False).add_extension(constraints, True).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(pem))
    return path
