"""Who finds pods by their labels: the controllers that would adopt a clone, and all that would still see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from rescue import labels
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.model import JsonObject
from rescue.workloads import CONTROLLERS, controller_kind, controller_of

ANYWHERE = ""  # all namespaces


@dataclass(frozen=True)
class Quarantine:
    """What keeps controllers from a clone.

    ``keys`` holds the label keys that they select by, None when one of them is not known: no label is safe then.
    ``selectors`` holds the known selectors by kind and name.
    """

    keys: frozenset[str] | None
    selectors: Mapping[str, JsonObject]
    warnings: list[str]


def quarantine(cluster: Cluster, pod: JsonObject) -> Quarantine:
    """How controllers of the pod's namespace select pods; not all is known of a refused list, and of other kinds."""
    namespace, owner = pod["metadata"].get("namespace", "default"), controller_of(pod)
    unknown: list[str] = []
    if owner and controller_kind(pod) not in CONTROLLERS:
        unknown.append(f"the selector of {owner.kind} {owner.name} is not known")
    selectors: dict[str, JsonObject] = {}
    for kind in CONTROLLERS:
        try:
            for item in cluster.list(kind.resource, namespace):
                selectors[f"{kind.name} {_name(item)}"] = item.get("spec", {}).get("selector") or {}
        except ClusterError as error:
            unknown.append(f"the selectors of {kind.resource} cannot be read: {error}")
    warnings = [f"all labels are dropped, because {why}" for why in unknown]
    return Quarantine(None if unknown else labels.keys(selectors.values()), selectors, warnings)


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
        return _unread(resource, error, warnings)


def _unread(resource: str, error: ClusterError, warnings: list[str]) -> list[JsonObject]:
    """None; a 404 says that the cluster does not have such a kind, everything else is warned of."""
    if error.status != 404:
        warnings.append(f"not checked, whether {resource} still see the clone: {error}")
    return []


def _monitors(cluster: Cluster, resource: str, namespace: str, warnings: list[str]) -> list[JsonObject]:
    """Monitors that look into the namespace: most live in one of their own."""
    try:
        found = cluster.list(resource, ANYWHERE)
    except ClusterError as error:
        if error.status != 403:
            return _unread(resource, error, warnings)
        found = _read(cluster, resource, namespace, warnings)  # Who may not look everywhere may look here.
    return [item for item in found if _looks_into(item, namespace)]


def _looks_into(monitor: JsonObject, namespace: str) -> bool:
    where = monitor["spec"].get("namespaceSelector") or {}
    named = where.get("matchNames") or [monitor["metadata"].get("namespace", namespace)]
    return bool(where.get("any")) or namespace in named


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
