"""The ClusterRoles that every cluster has, as far as they are about kinds of the sandbox."""

from rescue.sandbox.objects import Object

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_API = "rbac.authorization.k8s.io/v1"
_GROUP = "rbac.authorization.k8s.io"
# (API group, resources)
_Resources = tuple[tuple[str, tuple[str, ...]], ...]
_WORKLOADS: _Resources = (
    ("apps", ("daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets",
              "statefulsets/scale")),
    ("batch", ("cronjobs", "jobs")),
    ("networking.k8s.io", ("networkpolicies",)),
    ("policy", ("poddisruptionbudgets",)),
)  # fmt: skip
_EDITED: _Resources = (
    ("", ("configmaps", "events", "persistentvolumeclaims", "replicationcontrollers", "services")),
    *_WORKLOADS,
)
_VIEWED: _Resources = (
    ("", ("configmaps", "endpoints", "events", "limitranges", "namespaces", "persistentvolumeclaims",
          "persistentvolumeclaims/status", "pods", "pods/log", "pods/status", "replicationcontrollers",
          "resourcequotas", "serviceaccounts", "services")),
    ("discovery.k8s.io", ("endpointslices",)),
    *_WORKLOADS,
)  # fmt: skip
_PATHS = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz",
          "/version", "/version/"]  # fmt: skip


def _rules(verbs: tuple[str, ...], resources: _Resources) -> list[Object]:
    return [{"apiGroups": [group], "resources": list(names), "verbs": list(verbs)} for group, names in resources]


_VIEW = _rules(_READ, _VIEWED)
_EDIT = [
    *_rules(_WRITE, _EDITED),
    *_rules((*_READ, *_WRITE), (("", ("pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy")),)),
    *_rules((*_READ, *_WRITE, "impersonate"), (("", ("secrets", "serviceaccounts")),)),
    *_rules(("create",), (("", ("pods/eviction", "serviceaccounts/token")),)),
]
_ADMIN = [*_EDIT, *_rules((*_READ, *_WRITE), ((_GROUP, ("rolebindings", "roles")),))]
_ALL: list[Object] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
_SELF = [
    {
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        "verbs": ["create"],
    },
    {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
]
_ROLES: dict[str, list[Object]] = {
    "admin": [*_VIEW, *_ADMIN],
    "cluster-admin": _ALL,
    "edit": [*_VIEW, *_EDIT],
    "system:basic-user": _SELF,
    "system:discovery": [{"nonResourceURLs": _PATHS, "verbs": ["get"]}],
    "view": _VIEW,
}
# role: group
_BOUND = {
    "cluster-admin": "system:masters",
    "system:basic-user": "system:authenticated",
    "system:discovery": "system:authenticated",
}


def default_roles() -> list[Object]:
    """The ClusterRoles."""
    return [
        {"apiVersion": _API, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
        for name, rules in _ROLES.items()
    ]


def default_bindings() -> list[Object]:
    """The ClusterRoleBindings."""
    return [
        {
            "apiVersion": _API,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": _GROUP, "kind": "Group", "name": group}],
        }
        for name, group in _BOUND.items()
    ]
