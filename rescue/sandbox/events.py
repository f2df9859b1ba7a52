"""Events as the kubelet, the controllers and the scheduler write them.

The shapes are those of a real 1.36 cluster: kubelet and controllers use the old recorder
(count, firstTimestamp, lastTimestamp), the scheduler the new one (eventTime, action, series).
"""

import time
from datetime import UTC, datetime
from typing import Any

from rescue.sandbox.store import AlreadyExists, Object, Store, timestamp


def record(
    store: Store, involved: Object, reason: str, message: str, type: str, component: str, field_path: str = ""
) -> None:
    """Write one event about ``involved`` (a whole object), or count it if the same one was written before.

    ``component`` is "kubelet" (its host is the pod's node, or the Node itself) or a controller's name.
    ``type`` is Normal or Warning; ``field_path`` is like ``spec.containers{app}``.
    """
    host = _host(involved) if component == "kubelet" else ""
    event = _event(involved, reason, message, type, field_path) | {
        "count": 1,
        "eventTime": None,
        "firstTimestamp": timestamp(),
        "lastTimestamp": timestamp(),
        "reportingComponent": component,
        "reportingInstance": host,
        "source": {"component": component} | ({"host": host} if host else {}),
    }
    _count_or_create(store, event)


def record_once(store: Store, involved: Object, reason: str, message: str, type: str, component: str) -> None:
    """Write one event as ``record`` does, unless there is the same already: for a look that is repeated often."""
    event = _event(involved, reason, message, type, "") | {
        "reportingComponent": component,
        "source": {"component": component},
    }
    if not store.list("events", event["metadata"]["namespace"], lambda other: _same(other, event)):
        record(store, involved, reason, message, type, component)


def record_scheduling(store: Store, pod: Object, reason: str, message: str, type: str, action: str) -> None:
    """Write the scheduler's event about a pod; ``action`` is Binding or Scheduling."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event = _event(pod, reason, message, type, "") | {
        "action": action,
        "eventTime": now,
        "firstTimestamp": None,
        "lastTimestamp": None,
        "reportingComponent": "default-scheduler",
        "reportingInstance": "default-scheduler-rescue",
        "source": {},
    }
    _create(store, event)


def _event(involved: Object, reason: str, message: str, type: str, field_path: str) -> Object:
    meta = involved["metadata"]
    namespace = meta.get("namespace", "default")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{time.time_ns():x}", "namespace": namespace},
        "involvedObject": _reference(involved, field_path),
        "reason": reason,
        "message": message,
        "type": type,
    }


def _reference(involved: Object, field_path: str) -> dict[str, Any]:
    meta = involved["metadata"]
    fields = {
        "apiVersion": involved["apiVersion"],
        "kind": involved["kind"],
        "namespace": meta.get("namespace"),
        "name": meta["name"],
        "uid": meta.get("uid"),
        "resourceVersion": meta.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {key: value for key, value in fields.items() if value}


def _host(involved: Object) -> str:
    if involved["kind"] == "Node":
        return str(involved["metadata"]["name"])
    return str(involved.get("spec", {}).get("nodeName", ""))


def _count_or_create(store: Store, event: Object) -> None:
    for old in store.list("events", event["metadata"]["namespace"], lambda other: _same(other, event)):
        store.update("events", old | {"count": old["count"] + 1, "lastTimestamp": event["lastTimestamp"]})
        return
    _create(store, event)


def _same(old: Object, new: Object) -> bool:
    # client-go's getEventKey: everything that identifies the event, not the object's version.
    def identity(event: Object) -> list[Any]:
        involved = event["involvedObject"]
        return [
            *(involved.get(field) for field in ("kind", "namespace", "name", "uid", "fieldPath")),
            *(event.get(field) for field in ("source", "type", "reason", "message", "reportingComponent")),
        ]

    return identity(old) == identity(new)


def _create(store: Store, event: Object) -> None:
    while True:
        try:
            store.create("events", event)
            return
        except AlreadyExists:  # two events of one object in the same nanosecond tick
            event["metadata"]["name"] = f"{event['involvedObject']['name']}.{time.time_ns():x}"
