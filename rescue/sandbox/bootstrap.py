"""What a fresh cluster has before anybody uses it."""

from rescue.sandbox.access.roles import default_bindings, default_roles
from rescue.sandbox.admission.accounts import CA_CONFIG_MAP
from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store
from rescue.sandbox.strategies import SERVICE_NETWORK

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
STORAGE_CLASS = "standard"
_DEFAULT_CLASS = {"storageclass.kubernetes.io/is-default-class": "true"}


def fill(store: Store, ca_pem: str, port: int) -> None:
    """Create the default namespaces and what is in them, priorities, storage class, Service kubernetes."""
    for name in NAMESPACES:
        store.create("namespaces", _namespace(name))
        furnish(store, name, ca_pem)
    for name, value in _PRIORITIES.items():
        store.create("priorityclasses", _cluster_object("scheduling.k8s.io/v1", "PriorityClass", name, value=value))
    storage_class = _cluster_object(
        "storage.k8s.io/v1",
        "StorageClass",
        STORAGE_CLASS,
        provisioner="rescue.dev/sandbox",
        reclaimPolicy="Delete",
        volumeBindingMode="Immediate",
    )
    storage_class["metadata"]["annotations"] = _DEFAULT_CLASS
    store.create("storageclasses", storage_class)
    for role in default_roles():
        store.create("clusterroles", role)
    for binding in default_bindings():
        store.create("clusterrolebindings", binding)
    store.create("services", _api_service(port))


def furnish(store: Store, namespace: str, ca_pem: str | None = None) -> None:
    """Give a namespace its ServiceAccount ``default`` and the ConfigMap with the cluster's CA.

    Without ``ca_pem`` it is the CA that the namespace ``default`` has.
    """
    if ca_pem is None:
        ca_pem = store.get("configmaps", NAMESPACES[0], CA_CONFIG_MAP)["data"]["ca.crt"]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CA_CONFIG_MAP, "namespace": namespace}}
    _ensure(store, "serviceaccounts", account)
    _ensure(store, "configmaps", config | {"data": {"ca.crt": ca_pem}})


def _ensure(store: Store, resource: str, obj: Object) -> None:
    try:
        store.get(resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
    except NotFound:
        store.create(resource, obj)


def _namespace(name: str) -> Object:
    labels = {"kubernetes.io/metadata.name": name}
    return _cluster_object("v1", "Namespace", name, spec={"finalizers": ["kubernetes"]}) | {
        "metadata": {"name": name, "labels": labels},
        "status": {"phase": "Active"},
    }


def _cluster_object(api_version: str, kind: str, name: str, **fields: object) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}} | fields


def _api_service(port: int) -> Object:
    address = str(SERVICE_NETWORK[1])
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [address],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
        },
        "status": {"loadBalancer": {}},
    }
