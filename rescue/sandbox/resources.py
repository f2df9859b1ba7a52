"""The kinds that the sandbox serves, as one table."""

from dataclasses import dataclass

_ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """One row of ``kubectl api-resources``; ``subresources`` are served beside the object itself."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = _ALL_VERBS
    # Of a CustomResourceDefinition: there is no published schema.
    custom: bool = False

    @property
    def singular(self) -> str:
        """The kind in lower case."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """``v1`` or ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def stored_as(self) -> str:
        """The name in the store: both groups of Event are one resource."""
        return f"{self.plural}.{self.group}" if self.custom else self.plural


def _core(plural: str, kind: str, *short: str, **more: object) -> Resource:
    return Resource("", "v1", plural, kind, short=short, **more)  # type: ignore[arg-type]


def _other(group: str, plural: str, kind: str, *short: str, **more: object) -> Resource:
    return Resource(group, "v1", plural, kind, short=short, **more)  # type: ignore[arg-type]


_POD_SUBRESOURCES = ("status", "log", "exec", "attach", "ephemeralcontainers")
_WORKLOAD = {"categories": ("all",), "subresources": ("status",)}
_SCALABLE = {"categories": ("all",), "subresources": ("status", "scale")}
_REVIEW = {"namespaced": False, "verbs": ("create",)}
_AUTHORIZATION = "authorization.k8s.io"
_RBAC = "rbac.authorization.k8s.io"

RESOURCES: tuple[Resource, ...] = (
    _core("configmaps", "ConfigMap", "cm"),
    _core("endpoints", "Endpoints", "ep"),
    _core("events", "Event", "ev"),
    _core("limitranges", "LimitRange", "limits"),
    _core("namespaces", "Namespace", "ns", namespaced=False, subresources=("status",)),
    _core("nodes", "Node", "no", namespaced=False, subresources=("status",)),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", subresources=("status",)),
    _core("persistentvolumes", "PersistentVolume", "pv", namespaced=False, subresources=("status",)),
    _core("pods", "Pod", "po", categories=("all",), subresources=_POD_SUBRESOURCES),
    _core("replicationcontrollers", "ReplicationController", "rc", subresources=("status",)),
    _core("resourcequotas", "ResourceQuota", "quota", subresources=("status",)),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa", subresources=("token",)),
    _core("services", "Service", "svc", **_WORKLOAD),
    _other(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd",
        "crds",
        namespaced=False,
        subresources=("status",),
        categories=("api-extensions",),
    ),
    _other("apps", "daemonsets", "DaemonSet", "ds", **_WORKLOAD),
    _other("apps", "deployments", "Deployment", "deploy", **_SCALABLE),
    _other("apps", "replicasets", "ReplicaSet", "rs", **_SCALABLE),
    _other("apps", "statefulsets", "StatefulSet", "sts", **_SCALABLE),
    _other("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", **_REVIEW),
    _other(_AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview", **_REVIEW),
    _other(_AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview", **_REVIEW),
    _other("batch", "cronjobs", "CronJob", "cj", **_WORKLOAD),
    _other("batch", "jobs", "Job", **_WORKLOAD),
    _other("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    _other("events.k8s.io", "events", "Event", "ev"),
    _other("networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol"),
    _other("policy", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", subresources=("status",)),
    _other(_RBAC, "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    _other(_RBAC, "clusterroles", "ClusterRole", namespaced=False),
    _other(_RBAC, "rolebindings", "RoleBinding"),
    _other(_RBAC, "roles", "Role"),
    _other("scheduling.k8s.io", "priorityclasses", "PriorityClass", "pc", namespaced=False),
    _other("storage.k8s.io", "csidrivers", "CSIDriver", namespaced=False),
    _other("storage.k8s.io", "storageclasses", "StorageClass", "sc", namespaced=False),
)

BY_PLURAL = {row.plural: row for row in reversed(RESOURCES)}
BY_KIND = {(row.api_version, row.kind): row for row in RESOURCES}
