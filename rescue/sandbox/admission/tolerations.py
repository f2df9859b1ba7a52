"""The DefaultTolerationSeconds plug-in: a pod stays five minutes on a node that is gone."""

from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store

_KEYS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_SECONDS = 300


def add(_: Store, pod: Object) -> None:
    """Append the two tolerations that the pod does not have."""
    tolerations = pod["spec"].setdefault("tolerations", [])
    for key in _KEYS:
        if not any(_tolerates(toleration, key) for toleration in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _SECONDS})


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
