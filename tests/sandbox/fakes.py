"""A kubelet without containers, and an API server around it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp.test_utils import TestClient, TestServer

from rescue.sandbox import bootstrap
from rescue.sandbox.api.server import application
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store

TOKEN = "token-of-the-tests"
CA = "-----BEGIN CERTIFICATE-----\n"


@dataclass
class FakeExec:
    """A command whose output and exit code are given; it notes what it is sent."""

    script: list[tuple[int, bytes]]
    code: int = 0
    until_stdin_ends: bool = False
    received: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = asyncio.Event()
        if not self.until_stdin_ends:
            self._ended.set()

    async def write(self, data: bytes) -> None:
        self.received.append(data)

    async def close_stdin(self) -> None:
        self.received.append("eof")
        self._ended.set()

    async def resize(self, width: int, height: int) -> None:
        self.received.append((width, height))

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        for item in self.script:
            yield item
        await self._ended.wait()

    async def wait(self) -> int:
        return self.code

    async def kill(self) -> None:
        self.received.append("killed")
        self._ended.set()


@dataclass
class FakeKubelet:
    """Answers logs and execs from tables; ``calls`` holds what was asked for."""

    log_chunks: list[bytes] = field(default_factory=list)
    log_error: Exception | None = None
    session: FakeExec | None = None
    exec_error: Exception | None = None
    calls: list[dict[str, object]] = field(default_factory=list)

    async def logs(self, pod: Object, container: str, **options: object) -> AsyncIterator[bytes]:
        self.calls.append({"pod": pod["metadata"]["name"], "container": container} | options)
        if self.log_error:
            raise self.log_error
        for chunk in self.log_chunks:
            yield chunk

    async def exec(self, pod: Object, container: str, command: list[str], *, stdin: bool, tty: bool) -> FakeExec:
        self.calls.append(
            {"pod": pod["metadata"]["name"], "container": container, "command": command, "stdin": stdin, "tty": tty}
        )
        if self.exec_error:
            raise self.exec_error
        assert self.session is not None, "the test gave no session"
        return self.session


@dataclass
class Cluster:
    """A running API server over an in-memory store."""

    store: Store
    kubelet: FakeKubelet
    client: TestClient  # type: ignore[type-arg]

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Object]:
        """The code and the JSON answer of one request."""
        kind = headers.pop("content_type", "application/json")
        given = {"Content-Type": kind} if body is not None else {}
        async with self.client.request(
            method, path, json=body, headers=given | {key.title(): value for key, value in headers.items()}
        ) as response:
            return response.status, await response.json(content_type=None)

    def namespace(self, name: str, **labels: str) -> None:
        """A namespace with its default ServiceAccount."""
        metadata = {"name": name, "labels": labels}
        self.store.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        bootstrap.furnish(self.store, name, CA)


async def started() -> Cluster:
    """A cluster with the default objects; close its client when done."""
    store, kubelet = Store(), FakeKubelet()
    bootstrap.fill(store, CA, 6443)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    client = TestClient(TestServer(application(store, kubelet, TOKEN)), headers=headers)
    await client.start_server()
    return Cluster(store, kubelet, client)
