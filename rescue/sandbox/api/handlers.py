"""The requests for objects: dispatch by method and subresource, options from the query."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from rescue.sandbox import decode, patch, protobuf, registry
from rescue.sandbox.access.identity import Tokens
from rescue.sandbox.access.rbac import Attributes
from rescue.sandbox.api import execs, logs, reading, reviews, scale
from rescue.sandbox.api.backend import Backend
from rescue.sandbox.api.gate import require, user_of
from rescue.sandbox.api.paths import parse
from rescue.sandbox.api.queries import filter_of, flag, number
from rescue.sandbox.objects import Object, timestamp
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.status import ApiError, bad_request, not_allowed, unsupported_content_type
from rescue.sandbox.store import Store

# A body without a type is taken for JSON, as the real server does.
_TOKEN_SECONDS, _LEAST_TOKEN_SECONDS = 3600, 600
_JSON_TYPES = ("application/json", "application/octet-stream")


class Objects:
    """Everything below /api/v1 and /apis/GROUP/VERSION."""

    def __init__(self, store: Store, backend: Backend, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens
        self._backend = backend
        self._methods: dict[str, Callable[[Target, web.Request], Awaitable[web.StreamResponse]]] = {
            "GET": self._get,
            "POST": self._post,
            "PUT": self._put,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; ApiError for every refusal."""
        target = parse(self._store, request.path)
        if request.method not in self._methods:
            raise not_allowed()
        return await self._methods[request.method](target, request)

    async def _get(self, target: Target, request: web.Request) -> web.StreamResponse:
        if "get" not in target.resource.verbs:
            raise not_allowed()
        if target.subresource == "log":
            return await logs.stream(self._backend, registry.get(self._store, target), request)
        if target.subresource in ("exec", "attach"):
            return await self._exec(target, request)
        if target.subresource == "scale":
            return web.json_response(scale.view(registry.get(self._store, target)))
        if flag(request.query, "watch"):
            return await reading.watch(self._store, target, request)
        read = reading.one if target.name else reading.listing
        return web.json_response(read(self._store, target, request))

    async def _exec(self, target: Target, request: web.Request) -> web.StreamResponse:
        if target.subresource == "attach":
            raise ApiError(501, "NotImplemented", "the sandbox does not attach; use exec or logs")
        if request.method == "GET":
            # A WebSocket comes as a GET; it needs what a POST would need, too.
            wanted = Attributes("create", "", "pods", "exec", target.namespace, target.name)
            require(self._store, user_of(request), wanted)
        return await execs.serve(self._backend, registry.get(self._store, target), request)

    async def _post(self, target: Target, request: web.Request) -> web.StreamResponse:
        if target.subresource in ("exec", "attach"):
            return await self._exec(target, request)
        if target.subresource == "token":
            return web.json_response(self._token(target, await request.read()), status=201)
        if target.name:
            raise not_allowed()
        body = await _body(target, request)
        if target.resource.plural in reviews.REVIEWS:
            found = reviews.answer(self._store, user_of(request), target.resource.plural, body)
            return web.json_response(found, status=201)
        options = _options(request)
        obj = registry.create(self._store, target, body, options)
        return _written(obj, options, 201)

    def _token(self, target: Target, body: bytes) -> Object:
        """A TokenRequest: a token of the account for as long as asked, or an hour."""
        registry.get(self._store, target)
        asked: Object = (decode.parse_body(body, "TokenRequest") if body else {}).get("spec") or {}
        seconds = max(_LEAST_TOKEN_SECONDS, asked.get("expirationSeconds") or _TOKEN_SECONDS)
        until = timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
        token = self._tokens.issue(target.namespace, target.name, seconds)
        kind = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
        meta = {"name": target.name, "namespace": target.namespace, "creationTimestamp": timestamp()}
        return kind | {"metadata": meta, "spec": asked, "status": {"token": token, "expirationTimestamp": until}}

    async def _put(self, target: Target, request: web.Request) -> web.StreamResponse:
        if not target.name:
            raise not_allowed()
        body = await _body(target, request)
        options = _options(request)
        replace = scale.replaced if target.subresource == "scale" else registry.update
        return _written(replace(self._store, target, body, options), options, 200)

    async def _patch(self, target: Target, request: web.Request) -> web.StreamResponse:
        if not target.name:
            raise not_allowed()
        options = _options(request)
        if request.content_type == patch.APPLY and not self._exists(target):
            wanted = Attributes(
                "create", target.resource.group, target.resource.plural, "", target.namespace, target.name
            )
            require(self._store, user_of(request), wanted)
        try:
            change = json.loads(await request.read())
        except json.JSONDecodeError as error:
            raise bad_request(f"error decoding patch: {error}") from None
        if target.subresource == "scale":
            answer = scale.patched(self._store, target, change, request.content_type, options)
            return _written(answer, options, 200)
        obj, made = registry.patched(self._store, target, change, request.content_type, options)
        return _written(obj, options, 201 if made else 200)

    async def _delete(self, target: Target, request: web.Request) -> web.StreamResponse:
        asked = await _delete_options(request)
        dry_run = bool(asked.get("dryRun")) or "dryRun" in request.query
        if target.name:
            return web.json_response(registry.delete(self._store, target, asked, dry_run))
        wanted = filter_of(request.query, target.resource)
        found = self._store.list(target.resource.stored_as, target.namespace or None)
        gone = [self._delete_one(obj, target, asked, dry_run) for obj in found if wanted.keeps(obj)]
        resource = target.resource
        meta = {"resourceVersion": str(self._store.version)}
        answer = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta}
        return web.json_response(answer | {"items": gone})

    def _exists(self, target: Target) -> bool:
        try:
            registry.get(self._store, target)
        except ApiError:
            return False
        return True

    def _delete_one(self, obj: Object, target: Target, asked: Object, dry_run: bool) -> Object:
        meta = obj["metadata"]
        registry.delete(self._store, Target(target.resource, meta.get("namespace", ""), meta["name"]), asked, dry_run)
        return obj


async def _body(target: Target, request: web.Request) -> Object:
    text = await request.read()
    if request.content_type == protobuf.MEDIA_TYPE:
        return _from_protobuf(text, target)
    if request.content_type not in _JSON_TYPES:
        raise unsupported_content_type(request.content_type)
    return decode.parse_body(text, target.resource.kind)


def _from_protobuf(text: bytes, target: Target) -> Object:
    try:
        found = protobuf.decode(text)
    except (ValueError, UnicodeDecodeError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from None
    if found is None:
        raise unsupported_content_type(f"{target.resource.kind} as protobuf; `kubectl apply -f` sends JSON")
    return found


def _options(request: web.Request) -> Options:
    dry_run = request.query.get("dryRun", "")
    if dry_run not in ("", "All"):
        text = f'Invalid value: "{dry_run}": supported values: "All"'
        raise ApiError(422, "Invalid", f"PatchOptions.meta.k8s.io is invalid: dryRun: {text}")
    return Options(bool(dry_run), request.query.get("fieldValidation") or "Warn")


async def _delete_options(request: web.Request) -> Object:
    text = await request.read()
    asked: Object = decode.parse_body(text, "DeleteOptions") if text else {}
    seconds = number(request.query, "gracePeriodSeconds")
    query = {"gracePeriodSeconds": seconds} if seconds is not None else {}
    policy = request.query.get("propagationPolicy")
    return asked | query | ({"propagationPolicy": policy} if policy else {})


def _written(obj: Object, options: Options, code: int) -> web.Response:
    response = web.json_response(obj, status=code)
    for text in options.warnings:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response
