"""A TCP proxy in front of the API server, to cut what goes through it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 65536


class Proxy:
    """Forwards connections of a free loopback port to ``upstream``, until it is told to cut them.

    ``refused`` counts the connections that were tried during an outage.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._is_out = False
        self.port: int = self._listener.getsockname()[1]
        self.refused = 0
        self._gate = threading.Condition()
        self._holds = False
        self._came = self._released = 0  # pieces of answers

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_out:
                near.close()
                self.refused += 1
            else:
                self._forward(near)

    def _forward(self, near: socket.socket) -> None:
        far = socket.create_connection(self._upstream)
        self._sockets += [near, far]
        for source, sink, is_answer in ((near, far, False), (far, near, True)):
            threading.Thread(target=self._pump, args=(source, sink, is_answer), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        """Copy bytes one way; the end of one side is the end of the other."""
        with suppress(OSError):  # cut
            while data := source.recv(CHUNK):
                if is_answer:
                    self._wait_for_release()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def hold_answers(self) -> None:
        """From now on every piece of an answer waits until it is released."""
        self._holds = True

    def answers(self) -> int:
        """How many pieces of answers have come so far."""
        with self._gate:
            return self._came

    def release(self, count: int) -> None:
        """Let the first ``count`` pieces go on."""
        with self._gate:
            self._released = count
            self._gate.notify_all()

    def _wait_for_release(self) -> None:
        with self._gate:
            self._came += 1
            number = self._came
            self._gate.wait_for(lambda: not self._holds or number <= self._released)

    def release_all(self) -> None:
        """Hold nothing any more."""
        with self._gate:
            self._holds = False
            self._gate.notify_all()

    def cut(self) -> None:
        """Break every connection that there is, with what was held; new ones may come."""
        sockets, self._sockets = self._sockets, []
        for end in sockets:
            with suppress(OSError):  # the other side was faster
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.release_all()

    def begin_outage(self) -> None:
        """Break every connection, and every new one at once, until ``end_outage``."""
        self._is_out = True
        self.cut()

    def end_outage(self) -> None:
        """Serve again."""
        self._is_out = False

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
