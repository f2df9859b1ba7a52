"""GET: one object, a list, a watch; as objects, as a Table, or as metadata alone."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from rescue.sandbox import registry, tables
from rescue.sandbox.api.queries import Filter, filter_of, flag, number, page
from rescue.sandbox.objects import Expired, Object
from rescue.sandbox.registry import Target
from rescue.sandbox.resources import Resource
from rescue.sandbox.status import expired
from rescue.sandbox.store import Event, Store

# A real server ends a watch after 30 to 60 minutes.
_WATCH_SECONDS = 3600


def one(store: Store, target: Target, request: web.Request) -> Object:
    """A single object in the form that the client accepts."""
    obj = _shown(target.resource)(registry.get(store, target))
    return in_form([obj], target.resource, {"resourceVersion": _version(obj)}, request) or obj


def listing(store: Store, target: Target, request: web.Request) -> Object:
    """A list in the form that the client accepts."""
    wanted = filter_of(request.query, target.resource)
    items = store.list(target.resource.stored_as, _namespace(target), wanted.keeps)
    kept = [_shown(target.resource)(obj) for obj in items]
    part = page(kept, request.query, store.version)
    meta: Object = {"resourceVersion": str(store.version)}
    if part.token:
        meta |= {"continue": part.token, "remainingItemCount": part.remaining}
    return in_form(part.items, target.resource, meta, request) or _list(part.items, target.resource, meta)


def _list(items: list[Object], resource: Resource, meta: Object) -> Object:
    # The items of a list carry no kind and apiVersion of their own.
    bare = [{key: obj[key] for key in obj if key not in ("kind", "apiVersion")} for obj in items]
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": meta,
        "items": bare,
    }


def in_form(items: list[Object], resource: Resource, meta: Object, request: web.Request) -> Object | None:
    """A Table or PartialObjectMetadata when the client accepts that first; ``None`` for plain objects."""
    first = request.headers.get("Accept", "").partition(",")[0].replace(" ", "")
    if "as=Table" in first:
        include = request.query.get("includeObject", "Metadata")
        return tables.table(items, resource, meta, datetime.now(UTC), include)
    if "as=PartialObjectMetadataList" in first:
        parts = [tables.partial(obj) for obj in items]
        kind = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        return kind | {"metadata": meta, "items": parts}
    if "as=PartialObjectMetadata" in first:
        return tables.partial(items[0])
    return None


async def watch(store: Store, target: Target, request: web.Request) -> web.StreamResponse:
    """A stream of watch events, one JSON document a line, until the client goes or time is up."""
    wanted = filter_of(request.query, target.resource, target.name)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    seconds = number(request.query, "timeoutSeconds") or _WATCH_SECONDS
    with contextlib.suppress(ConnectionResetError):  # the client has seen enough
        with contextlib.suppress(TimeoutError):  # the time that the client asked for
            async with asyncio.timeout(seconds):
                await _Stream(store, target, request, response, wanted).run()
        await response.write_eof()
    return response


class _Stream:
    """One watch: the present objects if asked for, then every change."""

    def __init__(
        self,
        store: Store,
        target: Target,
        request: web.Request,
        response: web.StreamResponse,
        wanted: Filter,
    ) -> None:
        self._store = store
        self._target = target
        self._request = request
        self._response = response
        self._wanted = wanted

    async def run(self) -> None:
        """Send until cancelled."""
        resource, namespace = self._target.resource.stored_as, _namespace(self._target)
        given = number(self._request.query, "resourceVersion") or 0
        initial = flag(self._request.query, "sendInitialEvents")
        present = self._store.list(resource, namespace) if initial or not given else []
        since = self._store.version if initial or not given else given
        try:
            changes = self._store.watch(resource, since, namespace)
        except Expired as error:
            await self._send("ERROR", expired(str(error)).body())
            return
        try:
            for obj in filter(self._wanted.keeps, present):
                await self._send_object("ADDED", obj)
            if initial:
                await self._send("BOOKMARK", self._bookmark(since))
            async for event in changes:
                await self._forward(event)
        finally:
            changes.close()

    async def _forward(self, event: Event) -> None:
        kind = visible_type(event, self._wanted)
        if kind:
            await self._send_object(kind, event.object)

    async def _send_object(self, kind: str, obj: Object) -> None:
        resource = self._target.resource
        shown = _shown(resource)(obj)
        meta = {"resourceVersion": _version(obj)}
        await self._send(kind, in_form([shown], resource, meta, self._request) or shown)

    async def _send(self, kind: str, obj: Object) -> None:
        line = json.dumps({"type": kind, "object": obj}, ensure_ascii=False, separators=(",", ":"))
        await self._response.write(line.encode() + b"\n")

    def _bookmark(self, version: int) -> Object:
        resource = self._target.resource
        meta = {
            "resourceVersion": str(version),
            "creationTimestamp": None,
            "annotations": {"k8s.io/initial-events-end": "true"},
        }
        return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}


def visible_type(event: Event, wanted: Filter) -> str:
    """The event's type as a watch with a selector sees it: entering is ADDED, leaving DELETED, "" unseen."""
    now = wanted.keeps(event.object)
    if event.type != "MODIFIED" or event.previous is None:
        return event.type if now else ""
    before = wanted.keeps(event.previous)
    if before:
        return "MODIFIED" if now else "DELETED"
    return "ADDED" if now else ""


def _namespace(target: Target) -> str | None:
    if not target.resource.namespaced:
        return ""
    return target.namespace or None


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _shown(resource: Resource) -> Callable[[Object], Object]:
    return _as_new_event if resource.group == "events.k8s.io" else _as_stored


def _as_stored(obj: Object) -> Object:
    return obj


def _as_new_event(event: Object) -> Object:
    """A v1 Event as events.k8s.io/v1 shows it."""
    renamed = {
        "regarding": event.get("involvedObject"),
        "note": event.get("message"),
        "reportingController": event.get("reportingComponent"),
        "deprecatedCount": event.get("count"),
        "deprecatedFirstTimestamp": event.get("firstTimestamp"),
        "deprecatedLastTimestamp": event.get("lastTimestamp"),
        "deprecatedSource": event.get("source"),
    }
    kept = ("metadata", "eventTime", "reportingInstance", "action", "reason", "type", "series")
    new = {"kind": "Event", "apiVersion": "events.k8s.io/v1"}
    return new | {key: event[key] for key in kept if key in event} | renamed
