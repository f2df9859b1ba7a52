"""The HTTP server: authentication, discovery, errors as Status objects."""

import hmac
import json
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from rescue.sandbox import discovery, openapi
from rescue.sandbox.api.backend import Backend
from rescue.sandbox.api.handlers import Objects
from rescue.sandbox.objects import Object
from rescue.sandbox.status import ApiError, internal_error, no_such_path, unauthorized
from rescue.sandbox.store import Store

_log = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# Real servers take 3 MiB.
_MAX_BODY = 3 * 1024 * 1024
_HEALTH = ("/readyz", "/livez", "/healthz")


def application(store: Store, backend: Backend, token: str) -> web.Application:
    """The whole API; every request but the health checks needs ``token`` as its bearer token."""
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[_errors, _authentication(token)])
    for path in _HEALTH:
        app.router.add_get(path, _healthy)
    app.router.add_get("/version", _answer(discovery.version))
    app.router.add_get("/api", _versions)
    app.router.add_get("/apis", _groups)
    app.router.add_get("/apis/{group}", _group)
    app.router.add_get("/api/v1", _resources)
    app.router.add_get("/apis/{group}/v1", _resources)
    app.router.add_get("/openapi/v3", _answer(openapi.index))
    app.router.add_get("/openapi/v3/{root:.+}", _document)
    app.router.add_route("*", "/{path:.*}", Objects(store, backend).handle)
    return app


@web.middleware
async def _errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body(), status=error.code)
    except web.HTTPException as error:
        found = no_such_path() if error.status == 404 else ApiError(error.status, "", error.reason)
        return web.json_response(found.body(), status=error.status)
    except ConnectionResetError:
        raise
    except Exception as error:
        _log.exception("%s %s", request.method, request.path_qs)
        return web.json_response(internal_error(repr(error)).body(), status=500)


def _authentication(token: str) -> Middleware:
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if request.path not in _HEALTH and not hmac.compare_digest(given, expected):
            raise unauthorized()
        return await handler(request)

    return check


async def _healthy(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


def _answer(make: Callable[[], Object]) -> _Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(make())

    return handler


def _aggregated(request: web.Request) -> bool:
    return "as=APIGroupDiscoveryList" in request.headers.get("Accept", "") and "v=v2;" in (
        request.headers["Accept"].replace(",", ";") + ";"
    )


def _discovery(core: bool) -> web.Response:
    text = json.dumps(discovery.aggregated(core))
    return web.Response(body=text.encode(), headers={"Content-Type": discovery.AGGREGATED})


async def _versions(request: web.Request) -> web.StreamResponse:
    if _aggregated(request):
        return _discovery(core=True)
    return web.json_response(discovery.core_versions())


async def _groups(request: web.Request) -> web.StreamResponse:
    if _aggregated(request):
        return _discovery(core=False)
    return web.json_response(discovery.groups())


async def _group(request: web.Request) -> web.StreamResponse:
    return _known(discovery.group, request.match_info["group"])


async def _resources(request: web.Request) -> web.StreamResponse:
    return _known(discovery.resource_list, request.match_info.get("group", ""))


async def _document(request: web.Request) -> web.StreamResponse:
    return _known(openapi.document, request.match_info["root"])


def _known(make: Callable[[str], Object], name: str) -> web.Response:
    try:
        return web.json_response(make(name))
    except KeyError:
        raise no_such_path() from None
