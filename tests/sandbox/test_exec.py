"""exec over WebSocket: channels, sizes, ends and refusals, with a command that is only pretended."""

import asyncio
import json

import aiohttp
import pytest

from rescue.sandbox.api.execs import exit_status
from rescue.sandbox.kubelet import LogError
from rescue.sandbox.objects import Object
from tests.sandbox.fakes import Cluster, FakeExec

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
PATH = "/api/v1/namespaces/default/pods/p/exec"


@pytest.fixture
def running_pod(cluster: Cluster) -> Object:
    """A pod whose container runs."""
    spec = {"nodeName": "node1", "containers": [{"name": "a", "image": "busybox:1.36", "resources": {}}]}
    status = {"phase": "Running", "containerStatuses": [{"name": "a", "state": {"running": {}}}]}
    metadata = {"name": "p", "namespace": "default"}
    return cluster.store.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    )


async def messages(socket: aiohttp.ClientWebSocketResponse) -> list[tuple[int, bytes]]:
    """All that comes until the close, as (channel, data)."""
    return [(message.data[0], message.data[1:]) async for message in socket]


@pytest.mark.usefixtures("running_pod")
async def test_output_then_status_then_close(cluster: Cluster) -> None:
    cluster.kubelet.session = FakeExec([(1, b"out"), (2, b"err")], code=3)
    query = "?command=sh&command=-c&command=exit+3&stdout=true&stderr=true"
    async with cluster.client.ws_connect(PATH + query, protocols=(V5, V4)) as socket:
        assert socket.protocol == V5
        out, err, end = await messages(socket)
    assert (out, err) == ((1, b"out"), (2, b"err"))
    assert end[0] == 3
    status = json.loads(end[1])
    assert (status["status"], status["reason"]) == ("Failure", "NonZeroExitCode")
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    command = ["sh", "-c", "exit 3"]
    assert cluster.kubelet.calls == [{"pod": "p", "container": "a", "command": command, "stdin": False, "tty": False}]


@pytest.mark.usefixtures("running_pod")
async def test_success_is_said_and_v4_is_spoken(cluster: Cluster) -> None:
    cluster.kubelet.session = FakeExec([])
    async with cluster.client.ws_connect(PATH + "?command=true&container=a", protocols=(V4,)) as socket:
        assert socket.protocol == V4
        assert await messages(socket) == [(3, b'{"metadata": {}, "status": "Success"}')]


@pytest.mark.usefixtures("running_pod")
async def test_stdin_resize_and_the_close_of_v5_reach_the_command(cluster: Cluster) -> None:
    session = cluster.kubelet.session = FakeExec([], until_stdin_ends=True)
    async with cluster.client.ws_connect(PATH + "?command=cat&stdin=true&tty=true", protocols=(V5,)) as socket:
        await socket.send_bytes(b"\x00hello")
        await socket.send_bytes(b"\x00")  # clients open the channel with an empty message
        await socket.send_bytes(b'\x04{"Width":80,"Height":24}')
        await socket.send_bytes(b"\xff\x00")
        assert [channel for channel, _ in await messages(socket)] == [3]
    assert session.received == [b"hello", (80, 24), "eof"]


@pytest.mark.usefixtures("running_pod")
async def test_long_output_is_cut_into_messages_and_stays_whole(cluster: Cluster) -> None:
    data = bytes(range(256)) * 1024
    cluster.kubelet.session = FakeExec([(1, data)])
    async with cluster.client.ws_connect(PATH + "?command=x", protocols=(V5,)) as socket:
        *parts, _ = await messages(socket)
    assert b"".join(part for _, part in parts) == data
    assert len(parts) > 1


@pytest.mark.usefixtures("running_pod")
async def test_a_client_that_goes_away_ends_the_command(cluster: Cluster) -> None:
    session = cluster.kubelet.session = FakeExec([], until_stdin_ends=True)
    async with cluster.client.ws_connect(PATH + "?command=sleep", protocols=(V5,)):
        pass
    async with asyncio.timeout(5):
        while session.received != ["killed"]:
            await asyncio.sleep(0)


@pytest.mark.usefixtures("running_pod")
async def test_a_container_that_does_not_run_refuses_before_the_upgrade(cluster: Cluster) -> None:
    message = 'unable to upgrade connection: container not found ("a")'
    cluster.kubelet.exec_error = LogError(500, "InternalError", message)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await cluster.client.ws_connect(PATH + "?command=x", protocols=(V5,))
    assert refused.value.status == 500


@pytest.mark.usefixtures("running_pod")
async def test_no_command_is_a_bad_request(cluster: Cluster) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await cluster.client.ws_connect(PATH, protocols=(V5,))
    assert refused.value.status == 400


def test_exit_status_names_the_code_for_the_client() -> None:
    assert exit_status(0, ["x"])["status"] == "Success"
    assert exit_status(137, ["x"])["details"]["causes"][0]["message"] == "137"
