"""The cluster's objects, kept in memory, with versions and watches as etcd and the API server have them.

Objects are plain camelCase dicts as the API shows them.  A resource is named by its plural ("pods").
Everything runs on one asyncio loop, so a ``list`` followed by a ``watch`` without an ``await`` between
them misses nothing.
"""

import asyncio
import builtins
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from rescue.sandbox.objects import (
    AlreadyExists,
    Conflict,
    Expired,
    Key,
    NotFound,
    Object,
    copy,
    finished,
    key_of,
    marked,
    shortens,
    stamped,
    timestamp,
    updated,
    without_version,
)

__all__ = [
    "AlreadyExists",
    "Conflict",
    "Event",
    "Expired",
    "NotFound",
    "Object",
    "Store",
    "Watch",
    "copy",
    "timestamp",
]

# The oldest versions are forgotten, as etcd's compaction does: a watch from there is Expired.
HISTORY = 2000
# A watch from a version below the first one must be Expired too, so 1 is not the first.
FIRST_VERSION = 1000


@dataclass(frozen=True)
class Event:
    """One change: ``type`` is ADDED, MODIFIED or DELETED; its reader must not change ``object``.

    ``previous`` is what MODIFIED replaced, so that a watch by selector can tell what entered and left.
    """

    type: str
    object: Object
    previous: Object | None = None


@dataclass(frozen=True)
class _Change:
    version: int
    resource: str
    namespace: str
    event: Event


class Watch:
    """The changes of one resource in order; iterate with ``async for``; ``close()`` ends it."""

    def __init__(self, wanted: Callable[[_Change], bool], on_close: Callable[["Watch"], None]) -> None:
        self._wanted = wanted
        self._on_close = on_close
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()

    def offer(self, change: _Change) -> None:
        """Queue the change if it is one of those asked for."""
        if self._wanted(change):
            self._queue.put_nowait(change.event)

    def close(self) -> None:
        """Stop: the iteration ends after what is queued."""
        self._on_close(self)
        self._queue.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event


class Store:
    """Objects by resource, namespace ("" for cluster-scoped ones) and name."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[Key, Object]] = {}
        self._history: deque[_Change] = deque(maxlen=HISTORY)
        self._watches: set[Watch] = set()
        self._version = FIRST_VERSION

    @property
    def version(self) -> int:
        """The version of the last change."""
        return self._version

    def get(self, resource: str, namespace: str, name: str) -> Object:
        """A copy of the object; NotFound."""
        return copy(self._stored(resource, namespace, name))

    def list(
        self, resource: str, namespace: str | None = None, keep: Callable[[Object], bool] | None = None
    ) -> list[Object]:
        """Copies of the objects, by namespace and name; ``None`` means all namespaces.

        ``keep`` chooses before anything is copied; it must not change what it is given.
        """
        found = self._objects.get(resource, {})
        chosen = [found[key] for key in sorted(found) if namespace is None or key[0] == namespace]
        return [copy(obj) for obj in chosen if keep is None or keep(obj)]

    def resources(self) -> builtins.list[str]:
        """The names of all resources that have objects."""
        return [name for name, objects in self._objects.items() if objects]

    def create(self, resource: str, obj: Object) -> Object:
        """Store a new object; returned with name (from generateName), uid, time, version; AlreadyExists."""
        new = stamped(resource, obj)
        if key_of(new) in self._objects.get(resource, {}):
            raise AlreadyExists(new["metadata"]["name"])
        return self._write("ADDED", resource, new)

    def update(self, resource: str, obj: Object) -> Object:
        """Replace an object and return it; nothing is written when nothing changed.

        A resourceVersion in ``obj`` must be the stored one (Conflict).  NotFound when it is gone.
        """
        old = self._stored(resource, *key_of(obj))
        new = updated(resource, old, obj)
        if new == old:
            return copy(old)
        if finished(new):
            return self._remove(resource, new)
        return self._write("MODIFIED", resource, new)

    def update_status(self, resource: str, namespace: str, name: str, status: Object) -> Object:
        """Replace ``.status`` alone; NotFound when the object is gone."""
        old = self._stored(resource, namespace, name)
        return self.update(resource, without_version(old) | {"status": status})

    def mark_deleted(self, resource: str, namespace: str, name: str, grace: int) -> Object:
        """Set deletionTimestamp (now + ``grace`` seconds); a later mark can only shorten the grace."""
        old = self._stored(resource, namespace, name)
        if not shortens(old, grace):
            return copy(old)
        return self._write("MODIFIED", resource, marked(resource, old, grace))

    def delete(self, resource: str, namespace: str, name: str) -> Object:
        """Remove the object and return its last state; one with finalizers is only marked; NotFound."""
        old = self._stored(resource, namespace, name)
        if old["metadata"].get("finalizers"):
            return self.mark_deleted(resource, namespace, name, 0)
        return self._remove(resource, old)

    def watch(self, resource: str | None, since: int | None = None, namespace: str | None = None) -> Watch:
        """The changes after version ``since`` (``None``: from now on); Expired when it is too old.

        ``resource`` ``None`` means every resource, ``namespace`` ``None`` every namespace.
        """
        past = [] if since is None else self._after(since)
        watch = Watch(
            lambda change: (
                change.resource == resource and namespace in (None, change.namespace) and change.version > (since or 0)
            ),
            self._watches.discard,
        )
        for change in past:
            watch.offer(change)
        self._watches.add(watch)
        return watch

    def _after(self, since: int) -> builtins.list[_Change]:
        oldest = self._history[0].version if len(self._history) == HISTORY else FIRST_VERSION
        if 0 < since < oldest - 1:
            raise Expired(since, oldest)
        return [change for change in self._history if change.version > since]

    def _stored(self, resource: str, namespace: str, name: str) -> Object:
        try:
            return self._objects[resource][namespace, name]
        except KeyError:
            raise NotFound(name) from None

    def _write(self, kind: str, resource: str, obj: Object) -> Object:
        new = self._stamp_version(obj)
        previous = self._objects.setdefault(resource, {}).get(key_of(new))
        self._objects[resource][key_of(new)] = new
        self._notify(resource, Event(kind, copy(new), previous))
        return copy(new)

    def _remove(self, resource: str, obj: Object) -> Object:
        last = self._stamp_version(obj)
        del self._objects[resource][key_of(last)]
        self._notify(resource, Event("DELETED", copy(last)))
        return copy(last)

    def _stamp_version(self, obj: Object) -> Object:
        self._version += 1
        return copy(obj | {"metadata": obj["metadata"] | {"resourceVersion": str(self._version)}})

    def _notify(self, resource: str, event: Event) -> None:
        change = _Change(self._version, resource, key_of(event.object)[0], event)
        self._history.append(change)
        for watch in list(self._watches):
            watch.offer(change)
