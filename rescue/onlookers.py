"""Who finds pods by their labels: the controllers that would adopt a clone, and all that would still see it."""

from collections.abc import Iterator

from rescue import labels
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.model import JsonObject
from rescue.triage import controller_of

CONTROLLERS = {
    "replicasets": "ReplicaSet",
    "replicationcontrollers": "ReplicationController",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
}
ANYWHERE = ""  # all namespaces


def quarantine(cluster: Cluster, pod: JsonObject) -> tuple[frozenset[str] | None, list[str]]:
    """Label keys that controllers of the pod's namespace select by, and warnings.

    None when they cannot be known, for a list that is refused or a controller of another kind: no label is safe then.
    """
    namespace, owner = pod["metadata"].get("namespace", "default"), controller_of(pod)
    if owner and owner.kind not in CONTROLLERS.values():
        return None, [f"all labels are dropped, because the selector of {owner.kind} {owner.name} is not known"]
    controllers: list[JsonObject] = []
    for resource in CONTROLLERS:
        try:
            controllers.extend(cluster.list(resource, namespace))
        except ClusterError as error:
            return None, [f"all labels are dropped, because the selectors of {resource} cannot be read: {error}"]
    return labels.keys(item.get("spec", {}).get("selector") or {} for item in controllers), []


def onlookers(cluster: Cluster, namespace: str, kept: JsonObject) -> list[str]:
    """A warning for everything that still sees a clone with the labels ``kept``, though it is never Ready."""
    warnings: list[str] = []
    services = [item for item in _read(cluster, "services", namespace, warnings) if _serves(item, kept)]
    budgets = _read(cluster, "poddisruptionbudgets", namespace, warnings)
    pod_monitors = _monitors(cluster, "podmonitors", namespace, warnings)
    service_monitors = _monitors(cluster, "servicemonitors", namespace, warnings)
    return [
        *warnings,
        *(
            f"Service {_name(item)} publishes not-ready addresses: its clients will see the clone's"
            for item in services
            if item["spec"].get("publishNotReadyAddresses")
        ),
        *(
            f"PodDisruptionBudget {_name(item)} counts the clone as one of its pods, and as an unhealthy one"
            for item in budgets
            if _takes(item, kept)
        ),
        *(f"PodMonitor {_name(item)} scrapes the clone too" for item in pod_monitors if _takes(item, kept)),
        *(
            f"ServiceMonitor {_name(item)} scrapes the clone too, through Service {_name(service)}"
            for item in service_monitors
            for service in services
            if _takes(item, service["metadata"].get("labels") or {})
        ),
    ]


def _read(cluster: Cluster, resource: str, namespace: str, warnings: list[str]) -> list[JsonObject]:
    """The objects; none for a kind that the cluster does not have; a warning for one that may not be read."""
    try:
        return cluster.list(resource, namespace)
    except ClusterError as error:
        if error.status != 404:
            warnings.append(f"not checked, whether {resource} still see the clone: {error}")
        return []


def _monitors(cluster: Cluster, resource: str, namespace: str, warnings: list[str]) -> Iterator[JsonObject]:
    """Monitors that look into the namespace: most live in one of their own."""
    try:
        found = cluster.list(resource, ANYWHERE)
    except ClusterError as error:
        found = _read(cluster, resource, namespace, warnings) if error.status == 403 else []
    for item in found:
        where = item["spec"].get("namespaceSelector") or {}
        named = where.get("matchNames") or [item["metadata"].get("namespace", namespace)]
        if where.get("any") or namespace in named:
            yield item


def _name(item: JsonObject) -> str:
    return str(item["metadata"]["name"])


def _serves(service: JsonObject, kept: JsonObject) -> bool:
    """Whether a Service's selector takes the labels; one without a selector takes none."""
    selector = service["spec"].get("selector")
    return bool(selector) and labels.matches(selector, kept)


def _takes(item: JsonObject, kept: JsonObject) -> bool:
    """Whether the selector of a budget or monitor takes the labels; one without a selector takes none."""
    selector = item["spec"].get("selector")
    return selector is not None and labels.matches(selector, kept)
