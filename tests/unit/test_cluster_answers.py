"""Answers that are none: whatever comes over the wire ends as a ClusterError."""

import socket
import threading
from collections.abc import Iterator

import pytest
from kubernetes.client import ApiClient, Configuration

from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError


class Answering:
    """A server on loopback that sends the same bytes to whoever asks, then hangs up."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self.answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Answering]:
    server = Answering()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.close()
    thread.join()


@pytest.fixture
def cluster(server: Answering) -> Iterator[Cluster]:
    cluster = Cluster(ApiClient(Configuration(host=f"http://127.0.0.1:{server.port}")), "test", "default")
    yield cluster
    cluster.close()


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "status", "text"),
    [
        (b"", 0, "does not answer"),
        (OK + b"Content-Length: 100\r\n\r\n{", 0, "does not answer"),
        (OK + b"Content-Length: 6\r\n\r\n<html>", 406, "does not answer in JSON"),
        (OK + b"Content-Length: 1\r\n\r\n\xff", 406, "does not answer in JSON"),
    ],
    ids=["hangs up at once", "hangs up in the middle", "no JSON", "no text"],
)
def test_an_answer_that_is_none(cluster: Cluster, server: Answering, answer: bytes, status: int, text: str) -> None:
    server.answer = answer
    with pytest.raises(ClusterError, match=text) as raised:
        cluster.get("pods", "default", "web")
    assert raised.value.status == status
    assert raised.value.hint


def test_a_watch_that_is_cut_in_the_middle(cluster: Cluster, server: Answering) -> None:
    server.answer = OK + b'Transfer-Encoding: chunked\r\n\r\n14\r\n{"type": "MODIFIED"}\n\r\n5\r\n{'
    with pytest.raises(ClusterError, match="does not answer"):
        list(cluster.watch("pods", "default", "web", "1", 1))
