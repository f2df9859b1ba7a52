"""exec over WebSocket, subprotocols v5.channel.k8s.io and v4.channel.k8s.io (KEP-4006).

A binary message is one channel byte and data: 0 stdin, 1 stdout, 2 stderr, 3 error (a Status at the end),
4 resize; 255 (v5) closes the channel named by the next byte.
"""

import asyncio
import contextlib
import json

from aiohttp import WSMsgType, web

from rescue.sandbox.api.backend import Backend, ExecSession
from rescue.sandbox.api.logs import chosen_container, refusal
from rescue.sandbox.api.queries import flag
from rescue.sandbox.kubelet import ExecError, LogError
from rescue.sandbox.objects import Object
from rescue.sandbox.status import ApiError, bad_request, internal_error

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
# A message that carries more than this is cut, as the real server's copy buffer does.
_CHUNK = 32 * 1024


async def serve(backend: Backend, pod: Object, request: web.Request) -> web.StreamResponse:
    """Run the command of ``?command=`` and carry its streams; ApiError before the upgrade."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=0)
    if not socket.can_prepare(request):
        raise _no_websocket(pod, request)
    container = chosen_container(pod, request.query.get("container", ""))
    command = request.query.getall("command", [])
    if not command:
        raise bad_request("you must specify at least 1 command for the container")
    session = await _started(backend, pod, container, command, request)
    await socket.prepare(request)
    try:
        await _carry(socket, session, command)
    finally:
        await socket.close()
    return socket


def _no_websocket(pod: Object, request: web.Request) -> ApiError:
    """The answer to anything else; kubectl comes with SPDY when its WebSocket was refused, and shows this."""
    if not request.headers.get("Upgrade", "").startswith("SPDY"):
        return bad_request("Upgrade request required")
    container = chosen_container(pod, request.query.get("container", ""))
    if not _runs(pod, container):
        return internal_error(f'unable to upgrade connection: container not found ("{container}")')
    return bad_request("the sandbox speaks WebSockets, not SPDY")


def _runs(pod: Object, container: str) -> bool:
    groups = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    statuses = [status for group in groups for status in pod.get("status", {}).get(group, [])]
    return any(s["name"] == container and "running" in s.get("state", {}) for s in statuses)


async def _started(
    backend: Backend, pod: Object, container: str, command: list[str], request: web.Request
) -> ExecSession:
    stdin, tty = flag(request.query, "stdin"), flag(request.query, "tty")
    try:
        return await backend.exec(pod, container, command, stdin=stdin, tty=tty)
    except LogError as error:
        raise refusal(error) from error


async def _carry(socket: web.WebSocketResponse, session: ExecSession, command: list[str]) -> None:
    reader = asyncio.create_task(_read(socket, session))
    writer = asyncio.create_task(_write(socket, session, command))
    try:
        await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not _ended_well(writer):
            # The client has gone (this handler may be cancelled for it): nobody is left to read the output.
            await session.kill()
        for task in (reader, writer):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionResetError):
                await task


def _ended_well(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _read(socket: web.WebSocketResponse, session: ExecSession) -> None:
    """Client to command, until the client is gone."""
    async for message in socket:
        if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            data = message.data.encode() if isinstance(message.data, str) else message.data
            await _take(session, data)


async def _take(session: ExecSession, data: bytes) -> None:
    channel, rest = data[:1], data[1:]
    if channel == bytes([STDIN]) and rest:
        await session.write(rest)
    elif channel == bytes([RESIZE]):
        size = json.loads(rest)
        await session.resize(size["Width"], size["Height"])
    elif channel == bytes([CLOSE]) and rest[:1] == bytes([STDIN]):
        await session.close_stdin()


async def _write(socket: web.WebSocketResponse, session: ExecSession, command: list[str]) -> None:
    """Command to client: its output, then the Status, then the close."""
    async for channel, data in session.output():
        for start in range(0, len(data), _CHUNK):
            await socket.send_bytes(bytes([channel]) + data[start : start + _CHUNK])
    try:
        outcome = exit_status(await session.wait(), command)
    except ExecError as error:
        outcome = ApiError(500, "InternalError", str(error)).body()
    await socket.send_bytes(bytes([ERROR]) + json.dumps(outcome).encode())


def exit_status(code: int, command: list[str]) -> Object:
    """The Status that ends an exec, as the kubelet and containerd write it."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    why = f"error executing command [{' '.join(command)}], exit code {code}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {why}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
