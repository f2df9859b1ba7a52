"""Everything about the failing pod that the cluster will tell: written into the case before anything is created."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rescue import claims
from rescue.case import EVENTS, OBJECTS, POD, Case, log_name
from rescue.diagnosis.references import of_pod
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.model import JsonObject, Owner, Target
from rescue.surroundings import add_surroundings
from rescue.workloads import controller_kind, controller_of

LOG_LINES = 2000
# The kubelet's answers, with status 200, when it has lost a log: words of its own that no program wrote.
_NO_LOG = ("unable to retrieve container logs for ", "failed to try resolving symlinks in path ")
# Owners that are looked up for their own owner: a Deployment says more than its ReplicaSet.
_WITH_PARENTS = ("ReplicaSet", "Job")


def find_owner(cluster: Cluster, pod: JsonObject) -> Owner | None:
    """The controller at the top of the pod's chain of owners, as far as this account may read it."""
    owner, kind = controller_of(pod), controller_kind(pod)
    if owner is None or kind is None or kind.name not in _WITH_PARENTS:
        return owner
    try:
        parent = cluster.get(kind.resource, pod["metadata"]["namespace"], owner.name)
    except ClusterError:
        return owner  # Only its name is lost; the pod's own reference still says whose it is.
    return controller_of(parent) or owner


def gather(cluster: Cluster, case: Case, pod: JsonObject, target: Target, live: bool = True) -> None:
    """Write pod, events, logs and related objects to the case; what may not be read is written down as such.

    A pod that is not ``live`` has neither events nor logs.
    """
    case.write_json(POD, pod)
    objects = related_objects(cluster, pod)
    events = _gather_story(cluster, case, pod, target, objects["unreadable"]) if live else []
    case.write_json(EVENTS, events)
    case.write_json(OBJECTS, objects)


def _gather_story(
    cluster: Cluster, case: Case, pod: JsonObject, target: Target, unreadable: JsonObject
) -> list[JsonObject]:
    """Write the logs; the events."""
    uid = pod["metadata"].get("uid", "")
    events, refused = _attempt(
        lambda: cluster.list("events", target.namespace, fieldSelector=f"involvedObject.uid={uid}")
    )
    refused_logs = _gather_logs(cluster, case, target)
    for resource, why in (("events", refused), ("pods/log", refused_logs)):
        if why:
            unreadable[resource] = why
    return events or []


def _attempt(read: Callable[[], Any]) -> tuple[Any, str]:
    """What ``read`` gives, and why not when the cluster refuses."""
    try:
        return read(), ""
    except ClusterError as error:
        return None, error.message


def _gather_logs(cluster: Cluster, case: Case, target: Target) -> str:
    """Write both logs; why one could not be read. Status 400 says that there is none, which is no refusal."""
    problem = ""
    for previous in (False, True):
        try:
            text = cluster.logs(target.namespace, target.pod, target.container, previous, LOG_LINES)
        except ClusterError as error:
            problem = problem or ("" if error.status == 400 else error.message)
            continue
        if not text.startswith(_NO_LOG):
            case.write(log_name(target.container, previous), text)
    return problem


def _names(pod: JsonObject, kind: str) -> list[str]:
    """Names of the ConfigMaps or Secrets that a pod uses."""
    return sorted({found.object for found in of_pod(pod) if found.kind == kind and found.object})


def _keys(item: JsonObject) -> list[str]:
    """Key names of a ConfigMap or Secret; the values are forgotten here."""
    return sorted([*(item.get("data") or {}), *(item.get("binaryData") or {})])


def _service(item: JsonObject) -> JsonObject:
    spec = item["spec"]
    wanted = ("clusterIP", "clusterIPs", "ports", "selector", "type", "externalName", "publishNotReadyAddresses")
    return {"name": item["metadata"]["name"], **{key: spec[key] for key in wanted if key in spec}}


def _pod(item: JsonObject) -> JsonObject:
    status = item.get("status", {})
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
    metadata = item["metadata"]
    return {
        "name": metadata["name"],
        "ip": status.get("podIP", ""),
        "labels": metadata.get("labels") or {},
        "ready": ready,
    }


def _claim(item: JsonObject) -> JsonObject:
    spec = item["spec"]
    return {
        "phase": item.get("status", {}).get("phase", ""),
        "accessModes": spec.get("accessModes", []),
        "storageClass": spec.get("storageClassName", ""),
        "deleted": "deletionTimestamp" in item["metadata"],
    }


def related_objects(cluster: Cluster, pod: JsonObject) -> JsonObject:
    """What a diagnosis correlates with: keys of ConfigMaps and Secrets, Services, Pods, claims, and what these lack.

    ``unreadable`` says for each resource why it could not be read; a name that does not exist is left out.
    """
    namespace = pod["metadata"].get("namespace", "default")
    objects: JsonObject = {"unreadable": {}}
    singles: tuple[tuple[str, str, list[str], Callable[[JsonObject], Any]], ...] = (
        ("configMaps", "configmaps", _names(pod, "ConfigMap"), _keys),
        ("secrets", "secrets", _names(pod, "Secret"), _keys),
        ("persistentVolumeClaims", "persistentvolumeclaims", sorted(claims.names(pod).values()), _claim),
    )
    for field, resource, names, convert in singles:
        objects[field] = _named(cluster, resource, namespace, names, convert, objects["unreadable"])
    lists: tuple[tuple[str, Callable[[JsonObject], Any]], ...] = (("services", _service), ("pods", _pod))
    for resource, convert in lists:
        items, refused = _attempt(partial(cluster.list, resource, namespace))
        objects[resource] = [convert(item) for item in items or ()]
        if refused:
            objects["unreadable"][resource] = refused
    add_surroundings(cluster, pod, objects)
    return objects


def _named(
    cluster: Cluster,
    resource: str,
    namespace: str,
    names: list[str],
    convert: Callable[[JsonObject], Any],
    unreadable: JsonObject,
) -> JsonObject:
    found: JsonObject = {}
    for name in names:
        try:
            found[name] = convert(cluster.get(resource, namespace, name))
        except ClusterError as error:
            if error.status != 404:
                unreadable[resource] = error.message
    return found
