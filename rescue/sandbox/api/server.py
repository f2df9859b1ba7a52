"""The HTTP server: discovery, errors as Status objects, and all else to the objects behind the gate."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from rescue.sandbox import catalog, discovery, openapi
from rescue.sandbox.access.identity import Tokens
from rescue.sandbox.api.backend import Backend
from rescue.sandbox.api.gate import gate
from rescue.sandbox.api.handlers import Objects
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import ApiError, NoSuchPath, internal_error
from rescue.sandbox.store import Store

_log = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# Real servers take 3 MiB.
_MAX_BODY = 3 * 1024 * 1024
_HEALTH = ("/readyz", "/livez", "/healthz")


def application(store: Store, backend: Backend, token: str) -> web.Application:
    """The whole API; every request but the health checks needs ``token`` or an account's as its bearer token."""
    tokens, front = Tokens(store, token), _Front(store)
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[_errors, gate(store, tokens, _HEALTH)])
    for path in _HEALTH:
        app.router.add_get(path, _healthy)
    app.router.add_get("/version", front.version)
    app.router.add_get("/api", front.versions)
    app.router.add_get("/apis", front.groups)
    app.router.add_get("/apis/{group}", front.group)
    app.router.add_get("/{path:api/v1}", front.resources)
    app.router.add_get("/apis/{path:[^/]+/[^/]+}", front.resources)
    app.router.add_get("/openapi/v3", front.openapi)
    app.router.add_get("/openapi/v3/{root:.+}", front.document)
    app.router.add_route("*", "/{path:.*}", Objects(store, backend, tokens).handle)
    return app


@web.middleware
async def _errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except NoSuchPath:
        return _not_served()
    except ApiError as error:
        return web.json_response(error.body(), status=error.code)
    except web.HTTPException as error:
        if error.status == 404:
            return _not_served()
        return web.json_response(ApiError(error.status, "", error.reason).body(), status=error.status)
    except ConnectionResetError:
        raise
    except Exception as error:
        _log.exception("%s %s", request.method, request.path_qs)
        return web.json_response(internal_error(repr(error)).body(), status=500)


def _not_served() -> web.Response:
    """A path that leads nowhere is answered in plain text, not with a Status."""
    return web.Response(text="404 page not found\n", status=404, headers={"X-Content-Type-Options": "nosniff"})


async def _healthy(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


def _aggregated(request: web.Request) -> bool:
    return "as=APIGroupDiscoveryList" in request.headers.get("Accept", "") and "v=v2;" in (
        request.headers["Accept"].replace(",", ";") + ";"
    )


class _Front:
    """What clients ask first, of the kinds that are served at that moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def version(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(discovery.version())

    async def versions(self, request: web.Request) -> web.StreamResponse:
        return self._discovery(core=True) if _aggregated(request) else web.json_response(discovery.core_versions())

    async def groups(self, request: web.Request) -> web.StreamResponse:
        if _aggregated(request):
            return self._discovery(core=False)
        return web.json_response(discovery.groups(self._rows()))

    async def group(self, request: web.Request) -> web.StreamResponse:
        return self._known(discovery.group, request.match_info["group"])

    async def resources(self, request: web.Request) -> web.StreamResponse:
        return self._known(discovery.resource_list, request.match_info["path"].removeprefix("api/"))

    async def openapi(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(openapi.index(self._rows()))

    async def document(self, request: web.Request) -> web.StreamResponse:
        return self._known(openapi.document, request.match_info["root"])

    def _rows(self) -> tuple[Resource, ...]:
        return catalog.rows(self._store)

    def _discovery(self, core: bool) -> web.Response:
        text = json.dumps(discovery.aggregated(core, self._rows()))
        return web.Response(body=text.encode(), headers={"Content-Type": discovery.AGGREGATED})

    def _known(self, make: Callable[[str, Sequence[Resource]], Object], name: str) -> web.Response:
        try:
            return web.json_response(make(name, self._rows()))
        except KeyError:
            raise NoSuchPath from None
