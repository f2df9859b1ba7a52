"""A TCP proxy in front of the API server, to cut what goes through it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 65536


class Proxy:
    """Forwards connections of a free loopback port to ``upstream``, until it is told to cut them."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._upstream)
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()

    def cut(self) -> None:
        """Break every connection that there is; new ones may come."""
        sockets, self._sockets = self._sockets, []
        for end in sockets:
            with suppress(OSError):  # the other side was faster
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Break every connection, and refuse new ones."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        self.cut()


@contextmanager
def proxy_to(server: str) -> Iterator[Proxy]:
    """A running proxy to the host and port of a URL."""
    url = urlsplit(server)
    proxy = Proxy((url.hostname or "", url.port or 443))
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes one way; the end of one side is the end of the other."""
    with suppress(OSError):  # cut
        while data := source.recv(CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
