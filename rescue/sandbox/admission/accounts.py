"""The ServiceAccount plug-in: every container gets the account's token, CA and namespace."""

from rescue.sandbox.names import random_suffix, shown_name
from rescue.sandbox.objects import Object
from rescue.sandbox.status import forbidden
from rescue.sandbox.store import NotFound, Store

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_PREFIX = "kube-api-access-"
CA_CONFIG_MAP = "kube-root-ca.crt"
# One hour and seven seconds: the real server's mark for tokens that it added itself.
_EXPIRATION_SECONDS = 3607


def add_token(store: Store, pod: Object) -> None:
    """Set the account and mount its token; ApiError 403 when there is no such account."""
    spec = pod["spec"]
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = _account(store, pod, name)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    automount = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if automount:
        _mount(spec)


def _account(store: Store, pod: Object, name: str) -> Object:
    namespace = pod["metadata"]["namespace"]
    try:
        return store.get("serviceaccounts", namespace, name)
    except NotFound:
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden("pods", shown_name(pod["metadata"]), why) from None


def _mount(spec: Object) -> None:
    """Mount the token where nothing is mounted; a volume that was added to the original of a copy is used again."""
    containers = [c for group in ("initContainers", "containers") for c in spec.get(group, [])]
    without = [c for c in containers if not _mounted(c)]
    volume = _present(spec) or f"{_PREFIX}{random_suffix()}"
    for container in without:
        mount = {"name": volume, "readOnly": True, "mountPath": MOUNT_PATH}
        container.setdefault("volumeMounts", []).append(mount)
    if without and not _present(spec):
        spec.setdefault("volumes", []).append({"name": volume, "projected": _projection()})


def _present(spec: Object) -> str:
    names = [v["name"] for v in spec.get("volumes", []) if "projected" in v and v.get("name", "").startswith(_PREFIX)]
    return str(names[0]) if names else ""


def _mounted(container: Object) -> bool:
    return any(mount.get("mountPath") == MOUNT_PATH for mount in container.get("volumeMounts", []))


def _projection() -> Object:
    namespace = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _EXPIRATION_SECONDS, "path": "token"}},
            {"configMap": {"name": CA_CONFIG_MAP, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": namespace}]}},
        ],
        "defaultMode": 420,
    }
