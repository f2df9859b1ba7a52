"""GET /log: the log of one container, at once or followed."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from rescue.sandbox.api.backend import Backend
from rescue.sandbox.api.queries import flag, number
from rescue.sandbox.kubelet import LogError
from rescue.sandbox.objects import Object
from rescue.sandbox.status import ApiError, bad_request, internal_error

_GROUPS = ("containers", "initContainers", "ephemeralContainers")


def chosen_container(pod: Object, asked: str) -> str:
    """The container that a request means; ApiError 400 when it is unknown or must be named."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    names = [container["name"] for container in spec["containers"]]
    if asked:
        if not any(asked == c["name"] for group in _GROUPS for c in spec.get(group, [])):
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(names) == 1:
        return str(names[0])
    init = [container["name"] for container in spec.get("initContainers", [])]
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
    raise bad_request(text + (f" or one of the init containers: [{' '.join(init)}]" if init else ""))


async def stream(backend: Backend, pod: Object, request: web.Request) -> web.StreamResponse:
    """The log as text/plain; an error before the first byte is a Status."""
    query = request.query
    container = chosen_container(pod, query.get("container", ""))
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    if not pod["spec"].get("nodeName"):  # no kubelet to ask yet: the real answer is an empty log
        await response.prepare(request)
        await response.write_eof()
        return response
    chunks = backend.logs(
        pod,
        container,
        previous=flag(query, "previous"),
        follow=flag(query, "follow"),
        tail_lines=number(query, "tailLines"),
        since_seconds=number(query, "sinceSeconds"),
        timestamps=flag(query, "timestamps"),
        limit_bytes=number(query, "limitBytes"),
    )
    first = await _first(chunks)
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):  # the client has seen enough
        await response.write(first)
        async for chunk in chunks:
            await response.write(chunk)
        await response.write_eof()
    return response


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    # A refusal shows on the first read, before the headers are out.
    try:
        return await anext(chunks, b"")
    except LogError as error:
        raise refusal(error) from error


def refusal(error: LogError) -> ApiError:
    """The kubelet's refusal as a Status."""
    if error.reason == "InternalError":
        return internal_error(error.message)
    return ApiError(error.code, error.reason, error.message)
