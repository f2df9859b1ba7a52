"""The ResourceQuota plug-in, for pods and claims: counts, requests and limits."""

from collections.abc import Callable
from decimal import Decimal

from rescue import quantity
from rescue.sandbox.objects import Object
from rescue.sandbox.status import forbidden
from rescue.sandbox.store import Store

_COUNTS = ("pods", "count/pods")
_CLAIM_COUNTS = ("persistentvolumeclaims", "count/persistentvolumeclaims")
_STORAGE = "requests.storage"
_OF_CLASS = ".storageclass.storage.k8s.io/"
_ALIASES = {"cpu": "requests.cpu", "memory": "requests.memory"}
_ENDED = ("Succeeded", "Failed")
# The amount that some objects use of what a key of ``hard`` names; None for a key that is not about them.
_Usage = Callable[[list[Object], str], Decimal | None]


def review(store: Store, pod: Object) -> None:
    """ApiError 403 when a quota of the namespace would be exceeded, or cannot be computed."""
    namespace = pod["metadata"]["namespace"]
    others = [p for p in store.list("pods", namespace) if p.get("status", {}).get("phase") not in _ENDED]
    for found in store.list("resourcequotas", namespace):
        why = _unspecified(found, pod) or _exceeded(found, pod, others, _pod_usage)
        if why:
            raise forbidden("pods", pod["metadata"].get("name", ""), why)


def review_claim(store: Store, claim: Object) -> None:
    """ApiError 403 when a quota of the namespace would be exceeded by a claim."""
    namespace = claim["metadata"]["namespace"]
    others = store.list("persistentvolumeclaims", namespace)
    for found in store.list("resourcequotas", namespace):
        why = _exceeded(found, claim, others, _claim_usage)
        if why:
            raise forbidden("persistentvolumeclaims", claim["metadata"].get("name", ""), why)


def _unspecified(found: Object, pod: Object) -> str:
    name, hard = found["metadata"]["name"], found["spec"].get("hard", {})
    missing = [(key, names) for key in sorted(hard) if (names := _without(pod, key))]
    wants = "; ".join(f"{key} for: {','.join(names)}" for key, names in missing)
    return f"failed quota: {name}: must specify {wants}" if missing else ""


def _exceeded(found: Object, new: Object, others: list[Object], usage: _Usage) -> str:
    name, hard = found["metadata"]["name"], found["spec"].get("hard", {})
    over = [key for key in sorted(hard) if (usage([*others, new], key) or 0) > quantity.parse(hard[key])]
    if not over:
        return ""
    shown = [
        ",".join(f"{key}={_shown(amount or Decimal(0))}" for key, amount in column)
        for column in (
            [(key, usage([new], key)) for key in over],
            [(key, usage(others, key)) for key in over],
            [(key, quantity.parse(hard[key])) for key in over],
        )
    ]
    return f"exceeded quota: {name}, requested: {shown[0]}, used: {shown[1]}, limited: {shown[2]}"


def _split(key: str) -> tuple[str, str] | None:
    group, _, resource = _ALIASES.get(key, key).partition(".")
    return (group, resource) if group in ("requests", "limits") and key != _STORAGE else None


def _without(pod: Object, key: str) -> list[str]:
    parts = _split(key)
    if parts is None:
        return []
    group, resource = parts
    return [c["name"] for c in pod["spec"]["containers"] if resource not in c["resources"].get(group, {})]


def _pod_usage(pods: list[Object], key: str) -> Decimal | None:
    if key in _COUNTS:
        return Decimal(len(pods))
    parts = _split(key)
    if parts is None:
        return None
    group, resource = parts
    amounts = (c.get("resources", {}).get(group, {}).get(resource, 0) for p in pods for c in p["spec"]["containers"])
    return sum((quantity.parse(amount) for amount in amounts), Decimal(0))


def _claim_usage(claims: list[Object], key: str) -> Decimal | None:
    name, of_class, kind = key.rpartition(_OF_CLASS)
    if of_class:
        claims = [claim for claim in claims if claim["spec"].get("storageClassName") == name]
    if kind in _CLAIM_COUNTS:
        return Decimal(len(claims))
    if kind == _STORAGE:
        return sum((quantity.parse(c["spec"]["resources"]["requests"]["storage"]) for c in claims), Decimal(0))
    return None


def _shown(amount: Decimal) -> str:
    for suffix, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if amount and amount % size == 0:
            return f"{int(amount // size)}{suffix}"
    return str(int(amount)) if amount == int(amount) else f"{int(amount * 1000)}m"
