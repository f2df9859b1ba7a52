"""Probe and hook actions: exec in the container, HTTP, TCP; one attempt each."""

import asyncio
from dataclasses import dataclass

import aiohttp

from rescue.sandbox.kubelet.streams import ExecError, run_exec
from rescue.sandbox.store import Object

# Of the answer's body, as much as the kubelet shows.
BODY_LIMIT = 10 * 1024


@dataclass(frozen=True)
class Target:
    """Where the actions of a container go: its id, the pod's address and the container's named ports."""

    container: str
    address: str
    ports: dict[str, int]


@dataclass(frozen=True)
class Outcome:
    """``output`` is what events show after ``probe failed: ``; ``code`` is the exit code of a command."""

    success: bool
    output: str
    code: int = 0


def target(container: Object, identity: str, address: str) -> Target:
    """The target of a container's actions; pure."""
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", []) if port.get("name")}
    return Target(identity, address, ports)


async def attempt(action: Object, where: Target, timeout: float) -> Outcome:
    """Do one exec, httpGet, sleep, tcpSocket or grpc action (grpc: only that the port accepts)."""
    if "sleep" in action:
        await asyncio.sleep(min(timeout, action["sleep"]["seconds"]))
        return Outcome(True, "")
    if "exec" in action:
        return await _exec(action["exec"]["command"], where, timeout)
    if "httpGet" in action:
        return await _http(action["httpGet"], where, timeout)
    body = action.get("tcpSocket") or action.get("grpc") or {}
    return await _tcp(body.get("host") or where.address, _port(body["port"], where), timeout)


async def _exec(command: list[str], where: Target, timeout: float) -> Outcome:
    try:
        code, output = await run_exec(where.container, command, timeout)
    except TimeoutError:
        line = " ".join(command)
        return Outcome(False, f'command timed out: "{line}" timed out after {timeout:g}s')
    except ExecError as error:
        return Outcome(False, str(error))
    return Outcome(code == 0, output[:BODY_LIMIT].decode(errors="replace"), code)


async def _tcp(host: str, port: int, timeout: float) -> Outcome:
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Outcome(False, f"dial tcp {host}:{port}: i/o timeout")
    except OSError as error:
        return Outcome(False, f"dial tcp {host}:{port}: connect: {_words(error)}")
    writer.close()
    return Outcome(True, "")


async def _http(action: Object, where: Target, timeout: float) -> Outcome:
    host = action.get("host") or where.address
    scheme = action.get("scheme", "HTTP").lower()
    url = f"{scheme}://{host}:{_port(action['port'], where)}/{action.get('path', '/').lstrip('/')}"
    headers = {"User-Agent": "kube-probe/1.36", "Accept": "*/*", "Connection": "close"}
    headers |= {header["name"]: header["value"] for header in action.get("httpHeaders", [])}
    try:
        return await _get(url, headers, timeout)
    except TimeoutError:
        return Outcome(
            False, f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        )
    except aiohttp.ClientConnectorError as error:
        words = _words(error.os_error)
        return Outcome(False, f'Get "{url}": dial tcp {error.host}:{error.port}: connect: {words}')
    except aiohttp.ServerDisconnectedError:
        return Outcome(False, f'Get "{url}": EOF')
    except (aiohttp.ClientError, OSError) as error:
        return Outcome(False, f'Get "{url}": {error}')


async def _get(url: str, headers: dict[str, str], timeout: float) -> Outcome:
    limit = aiohttp.ClientTimeout(total=timeout)
    # Like the kubelet: certificates are not checked, and a redirect counts as success.
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.get(url, headers=headers, ssl=False, allow_redirects=False) as response,
    ):
        body = (await response.content.read(BODY_LIMIT)).decode(errors="replace")
    good = 200 <= response.status < 400
    return Outcome(good, body if good else f"HTTP probe failed with statuscode: {response.status}")


def _port(port: int | str, where: Target) -> int:
    return where.ports.get(port, 0) if isinstance(port, str) and not port.isdigit() else int(port)


def _words(error: OSError) -> str:
    """Go's words for a connection error, which are the kernel's in lower case."""
    return {111: "connection refused", 110: "connection timed out", 113: "no route to host"}.get(
        error.errno or 0, (error.strerror or str(error)).lower()
    )
