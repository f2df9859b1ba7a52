"""What each kind prepares for itself on create, update and delete (the "strategies" of the API server)."""

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

from rescue.sandbox import catalog, objects
from rescue.sandbox.names import random_suffix
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import Resource
from rescue.sandbox.store import Store

SERVICE_NETWORK = IPv4Network("10.96.0.0/16")
# The first addresses are for the Services kubernetes (.1) and DNS (.10).
_FIRST_SERVICE_ADDRESS = 16

_DEFAULT_GRACE = 30
_ENDED = ("Succeeded", "Failed")
# The client cannot set these on create.
_DROPPED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion")
# Kinds that keep the status they are created with.
_STATUS_KEPT = frozenset({"namespaces", "nodes", "events"})


def prepared_for_create(store: Store, obj: Object, resource: Resource) -> Object:
    """The object with name, uid and time, its status reset, and what its kind adds."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in _DROPPED}
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta["generateName"][:58] + random_suffix()
    new = obj | {"metadata": meta}
    if "status" in resource.subresources and resource.plural not in _STATUS_KEPT:
        new.pop("status", None)
    if meta.get("name"):
        new = objects.stamped(resource.plural, new)
    if resource.plural in _CREATE:
        new = _CREATE[resource.plural](store, new)
    return new


def prepared_for_update(old: Object, new: Object, resource: Resource) -> Object:
    """The new object with the old status, where status is a subresource, and fields the client may omit."""
    if "status" in resource.subresources and resource.plural not in _STATUS_KEPT:
        new = {key: value for key, value in new.items() if key != "status"}
        new |= {"status": old["status"]} if "status" in old else {}
    if resource.plural in ("services", "jobs", "persistentvolumeclaims"):
        kept = {key: value for key, value in old["spec"].items() if key not in new.get("spec", {})}
        new = new | {"spec": new.get("spec", {}) | {key: kept[key] for key in kept if key in _ALLOCATED}}
    return new


# Spec fields that the server filled in and that an update without them leaves alone.
_ALLOCATED = frozenset({"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "selector", "volumeName"})


def grace_period(obj: Object, request: Object, resource: Resource) -> int:
    """Seconds until the object is gone: only a pod that runs on a node gets any."""
    spec = obj.get("spec", {})
    if resource.plural != "pods" or not spec.get("nodeName") or obj["status"].get("phase") in _ENDED:
        return 0
    asked = request.get("gracePeriodSeconds")
    return int(spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE) if asked is None else asked)


def orphan_dependents(store: Store, owner: Object) -> None:
    """Take the owner's reference from all that it owns (propagationPolicy Orphan)."""
    uid = owner["metadata"]["uid"]
    for plural in {resource.stored_as for resource in catalog.rows(store)}:
        for obj in store.list(plural):
            owners = obj["metadata"].get("ownerReferences", [])
            rest = [reference for reference in owners if reference["uid"] != uid]
            if rest != owners:
                obj["metadata"]["ownerReferences"] = rest
                store.update(plural, obj)


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort (pkg/apis/core/v1/helper/qos)."""
    containers = [c for group in ("initContainers", "containers") for c in spec.get(group, [])]
    amounts = [(c["resources"].get("requests", {}), c["resources"].get("limits", {})) for c in containers]
    wanted = [{key: side[key] for key in ("cpu", "memory") if key in side} for pair in amounts for side in pair]
    if not any(wanted):
        return "BestEffort"
    guaranteed = all(
        len(limits) == 2 and limits == requests for requests, limits in zip(wanted[::2], wanted[1::2], strict=True)
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _pod(_: Store, pod: Object) -> Object:
    return pod | {"status": {"phase": "Pending", "qosClass": qos_class(pod["spec"])}}


def _service(store: Store, service: Object) -> Object:
    spec = service.get("spec", {})
    if spec.get("type") == "ExternalName":
        return service
    address = spec.get("clusterIP") or _free_address(store)
    spec = spec | {
        "clusterIP": address,
        "clusterIPs": [address],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }
    return service | {"spec": spec, "status": {"loadBalancer": {}}}


def _free_address(store: Store) -> str:
    taken = {service["spec"].get("clusterIP") for service in store.list("services")}
    size = SERVICE_NETWORK.num_addresses
    candidates = (str(SERVICE_NETWORK[number]) for number in range(_FIRST_SERVICE_ADDRESS, size - 1))
    return next(address for address in candidates if address not in taken)


def _job(_: Store, job: Object) -> Object:
    spec: dict[str, Any] = objects.copy(job.get("spec", {}))
    if spec.get("manualSelector") or "uid" not in job["metadata"]:
        return job | {"spec": spec, "status": {}}
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    template["labels"] = template.get("labels", {}) | labels
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    return job | {"spec": spec, "status": {}}


def _with_empty_status(_: Store, obj: Object) -> Object:
    return obj | {"status": {}}


def _counting(*fields: str) -> Callable[[Store, Object], Object]:
    """A status with the numbers that the API writes also when they are zero."""
    return lambda _, obj: obj | {"status": dict.fromkeys(fields, 0)}


def _claim(store: Store, claim: Object) -> Object:
    spec = claim.get("spec", {})
    default = [sc for sc in store.list("storageclasses") if _is_default(sc)]
    if "storageClassName" not in spec and default:
        spec = spec | {"storageClassName": default[0]["metadata"]["name"]}
    # Each of the two ways to name a source is written out as the other one too.
    if source := spec.get("dataSource") or spec.get("dataSourceRef"):
        spec = {"dataSource": source, "dataSourceRef": source} | spec
    return claim | {"spec": spec, "status": {"phase": "Pending"}}


def _definition(_: Store, definition: Object) -> Object:
    spec, now = definition.get("spec", {}), objects.timestamp()
    names = spec.get("names", {})
    kind = names.get("kind", "")
    full = {"singular": kind.lower(), "listKind": f"{kind}List"} | names
    conditions = {"NamesAccepted": "NoConflicts", "Established": "InitialNamesAccepted"}
    status = {
        "conditions": [
            {"type": kind, "status": "True", "reason": reason, "message": "", "lastTransitionTime": now}
            for kind, reason in conditions.items()
        ],
        "acceptedNames": full,
        "storedVersions": [version["name"] for version in spec.get("versions", []) if version.get("storage")],
    }
    return definition | {"spec": spec | {"names": full}, "status": status}


def _is_default(storage_class: Object) -> bool:
    annotations = storage_class["metadata"].get("annotations", {})
    return bool(annotations.get("storageclass.kubernetes.io/is-default-class") == "true")


_CREATE: dict[str, Callable[[Store, Object], Object]] = {
    "pods": _pod,
    "services": _service,
    "jobs": _job,
    "persistentvolumeclaims": _claim,
    "customresourcedefinitions": _definition,
    "deployments": _with_empty_status,
    "cronjobs": _with_empty_status,
    "daemonsets": _counting("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"),
    "replicasets": _counting("replicas"),
    "statefulsets": _counting("replicas", "availableReplicas"),
    "poddisruptionbudgets": _counting("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"),
}
