"""Commands in a container over WebSocket (v5 or v4.channel.k8s.io), in constant memory.

The client's own ``stream()`` reads quadratically and is not thread-safe; this loop uses only its configuration.
"""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from kubernetes.stream.ws_client import websocket_proxycare
from websocket import (
    ABNF,
    WebSocket,
    WebSocketBadStatusException,
    WebSocketException,
    WebSocketTimeoutException,
    create_connection,
)

from rescue.kube.client import Cluster, path
from rescue.kube.errors import ClusterError, Request, from_status, unreachable

STDIN, STDOUT, STDERR, ERROR = 0, 1, 2, 3
PING_SECONDS = 5.0  # Load balancers drop a connection that is silent for a minute; client-go pings as often.
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0  # No frame and no pong for so long: the connection is dead.
CHUNK = 32768
PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]  # KEP-4006; v5 since Kubernetes 1.30


class Dropped(ClusterError):
    """The stream ended before the command's exit status came: nothing is known about the command."""

    def __init__(self, cause: object) -> None:
        super().__init__(f"the exec stream broke: {cause}", "try again; is the cluster reachable?", 0)


class Session:
    """One running command. Iterate ``frames`` to its end, then read ``exit_code``."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.exit_code: int | None = None

    def send(self, data: bytes) -> None:
        """Send to the command's stdin; it is never closed (v4 cannot), so commands must know the length."""
        for start in range(0, len(data), CHUNK):
            self._socket.send_binary(bytes([STDIN]) + data[start : start + CHUNK])

    def frames(self, tick: float = 1.0) -> Iterator[tuple[int, bytes]]:
        """(channel, bytes) as they come, and (-1, b"") after each ``tick`` seconds without any.

        Ends when the exit status came; raises Dropped when the connection ends before.
        """
        heard = pinged = time.monotonic()
        while self.exit_code is None:
            self._socket.settimeout(tick)
            now = time.monotonic()
            if now - heard > SILENCE_SECONDS:
                raise Dropped(f"nothing came for {SILENCE_SECONDS:.0f} s")
            if now - pinged > PING_SECONDS:
                self._socket.ping()
                pinged = now
            try:
                opcode, data = self._socket.recv_data(control_frame=True)
            except WebSocketTimeoutException:
                yield -1, b""
                continue
            heard = time.monotonic()
            if opcode == ABNF.OPCODE_CLOSE:
                raise Dropped("closed by the server before the exit status")
            if opcode not in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) or not data:
                continue
            if data[0] == ERROR:
                self.exit_code = exit_code(data[1:])
            elif len(data) > 1:
                yield data[0], data[1:]


def exit_code(status: bytes) -> int:
    """The exit code in the Status of the error channel; raises ClusterError when the command never ran."""
    answer = json.loads(status)
    if answer.get("status") == "Success":
        return 0
    for cause in (answer.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise ClusterError(f"exec failed: {answer.get('message')}", "is the container running?", 500)


def _connect(settings: Any, url: str, headers: dict[str, str]) -> WebSocket:
    """The handshake, bounded in time; the client's own ``create_websocket`` waits for ever on a silent server."""
    tls = {
        "cert_reqs": ssl.CERT_REQUIRED if settings.verify_ssl else ssl.CERT_NONE,
        "check_hostname": settings.verify_ssl and settings.assert_hostname is not False,
        "ca_certs": settings.ssl_ca_cert,
        "certfile": settings.cert_file,
        "keyfile": settings.key_file,
        "server_hostname": settings.tls_server_name,
    }
    proxy = websocket_proxycare({}, settings, url, headers) if settings.proxy else {"http_no_proxy": ["*"]}
    return create_connection(
        url,
        timeout=CONNECT_SECONDS,
        sslopt={key: value for key, value in tls.items() if value is not None},
        header=[f"{name}: {value}" for name, value in headers.items()],
        subprotocols=PROTOCOLS,
        skip_utf8_validation=True,
        **proxy,
    )


@contextmanager
def open_session(
    cluster: Cluster, namespace: str, pod: str, container: str, command: list[str], stdin: bool = False
) -> Iterator[Session]:
    """Start a command; raises ClusterError when the server refuses, Dropped when the connection breaks."""
    request = Request("create", "pods/exec", namespace, pod)
    query = [("command", word) for word in command]
    query += [("container", container), ("stdout", "true"), ("stderr", "true"), ("stdin", str(stdin).lower())]
    base = cluster.host.replace("http", "ws", 1)
    try:
        socket = _connect(cluster.api.configuration, f"{base}{path(request)}?{urlencode(query)}", cluster.headers())
    except WebSocketBadStatusException as error:
        body = error.resp_body or b""
        raise from_status(error.status_code, body, request) from error
    except (WebSocketException, OSError) as error:
        raise unreachable(cluster.host, error) from error
    try:
        socket.settimeout(SILENCE_SECONDS)
        yield Session(socket)
    except (WebSocketException, OSError) as error:
        raise Dropped(error) from error
    finally:
        socket.close(timeout=1)


def run(
    cluster: Cluster, namespace: str, pod: str, container: str, command: list[str], stdin: bytes = b""
) -> tuple[int, bytes, bytes]:
    """Run a short command to its end: exit code, stdout, stderr. ``stdin`` is not closed afterwards."""
    output = {STDOUT: bytearray(), STDERR: bytearray()}
    with open_session(cluster, namespace, pod, container, command, bool(stdin)) as session:
        session.send(stdin)
        for channel, data in session.frames():
            if channel in output:
                output[channel] += data
    assert session.exit_code is not None
    return session.exit_code, bytes(output[STDOUT]), bytes(output[STDERR])
