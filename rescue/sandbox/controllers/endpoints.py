"""Endpoints and EndpointSlices: the pods behind each Service with a selector."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rescue.sandbox import selectors
from rescue.sandbox.controllers import claim
from rescue.sandbox.controllers.claim import reference_to
from rescue.sandbox.names import hash_suffix
from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store

_MANAGED = "endpointslice.kubernetes.io/managed-by"
_SERVICE = "kubernetes.io/service-name"


def reconcile(store: Store) -> None:
    """Write both objects of every Service; remove those of Services that are gone."""
    kept = set()
    for service in store.list("services"):
        meta = service["metadata"]
        if service["spec"].get("selector"):
            found = store.list("pods", meta["namespace"], partial(_behind, service))
            _write(store, "endpoints", _endpoints(service, found))
            _write(store, "endpointslices", _slice(service, found))
            kept.add((meta["namespace"], meta["name"]))
    _remove(store, kept)


def _behind(service: Object, pod: Object) -> bool:
    labels = selectors.labels_of(pod)
    wanted = service["spec"]["selector"]
    return wanted.items() <= labels.items() and bool(pod.get("status", {}).get("podIP")) and not claim.ended(pod)


def _terminating(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def conditions(service: Object, pod: Object) -> dict[str, bool]:
    """ready, serving and terminating of one endpoint (k8s.io/endpointslice podToEndpoint)."""
    serving, terminating = claim.is_ready(pod), _terminating(pod)
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    return {"ready": published or (serving and not terminating), "serving": serving, "terminating": terminating}


def _ports(service: Object, pods: list[Object]) -> list[Object]:
    return [
        {key: port[key] for key in ("name", "protocol") if key in port} | {"port": _number(port, pods)}
        for port in service["spec"].get("ports", [])
    ]


def _number(port: Object, pods: list[Object]) -> int:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    named = [p for pod in pods for c in pod["spec"]["containers"] for p in c.get("ports", [])]
    return next((int(p["containerPort"]) for p in named if p.get("name") == target), int(port["port"]))


def _target(pod: Object) -> Object:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def _endpoints(service: Object, pods: list[Object]) -> Object:
    def addresses(wanted: Callable[[Object], bool]) -> list[Object]:
        return [
            {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}
            for pod in pods
            if not _terminating(pod) and wanted(pod)
        ]

    subset: dict[str, Any] = {
        "addresses": addresses(lambda pod: conditions(service, pod)["ready"]),
        "notReadyAddresses": addresses(lambda pod: not conditions(service, pod)["ready"]),
    }
    subset = {key: value for key, value in subset.items() if value}
    meta = service["metadata"]
    found: Object = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
    }
    if subset:
        found["subsets"] = [subset | {"ports": _ports(service, pods)}]
    return found


def _slice(service: Object, pods: list[Object]) -> Object:
    meta = service["metadata"]
    labels = {_MANAGED: "endpointslice-controller.k8s.io", _SERVICE: meta["name"]}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{meta['name']}-{hash_suffix(meta['uid'], 5)}",
            "namespace": meta["namespace"],
            "labels": labels,
            "ownerReferences": [reference_to(service)],
        },
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": conditions(service, pod),
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": _target(pod),
            }
            for pod in pods
        ],
        "ports": _ports(service, pods),
    }


def _write(store: Store, resource: str, wanted: Object) -> None:
    meta = wanted["metadata"]
    try:
        old = store.get(resource, meta["namespace"], meta["name"])
    except NotFound:
        store.create(resource, wanted)
        return
    new = old | {key: value for key, value in wanted.items() if key != "metadata"}
    if "subsets" not in wanted:
        new.pop("subsets", None)
    store.update(resource, new)


def _remove(store: Store, kept: set[tuple[str, str]]) -> None:
    # EndpointSlices are owned by their Service, so the garbage collector takes them.
    services = {(s["metadata"]["namespace"], s["metadata"]["name"]) for s in store.list("services")}
    for found in store.list("endpoints"):
        place = found["metadata"]["namespace"], found["metadata"]["name"]
        if place not in kept and place not in services:
            store.delete("endpoints", *place)
