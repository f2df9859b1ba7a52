"""The ResourceQuota plug-in, for pods: counts, requests and limits."""

from decimal import Decimal

from rescue.sandbox import quantity
from rescue.sandbox.objects import Object
from rescue.sandbox.status import forbidden
from rescue.sandbox.store import Store

_COUNTS = ("pods", "count/pods")
_ALIASES = {"cpu": "requests.cpu", "memory": "requests.memory"}
_ENDED = ("Succeeded", "Failed")


def review(store: Store, pod: Object) -> None:
    """ApiError 403 when a quota of the namespace would be exceeded, or cannot be computed."""
    namespace = pod["metadata"]["namespace"]
    others = [p for p in store.list("pods", namespace) if p.get("status", {}).get("phase") not in _ENDED]
    for found in store.list("resourcequotas", namespace):
        why = _refusal(found, pod, others)
        if why:
            raise forbidden("pods", pod["metadata"].get("name", ""), why)


def _refusal(found: Object, pod: Object, others: list[Object]) -> str:
    name, hard = found["metadata"]["name"], found["spec"].get("hard", {})
    missing = [(key, names) for key in sorted(hard) if (names := _without(pod, key))]
    if missing:
        wants = "; ".join(f"{key} for: {','.join(names)}" for key, names in missing)
        return f"failed quota: {name}: must specify {wants}"
    over = [key for key in sorted(hard) if _usage([*others, pod], key) > quantity.parse(hard[key])]
    if not over:
        return ""
    shown = [
        ",".join(f"{key}={_shown(amount)}" for key, amount in column)
        for column in (
            [(key, _usage([pod], key)) for key in over],
            [(key, _usage(others, key)) for key in over],
            [(key, quantity.parse(hard[key])) for key in over],
        )
    ]
    return f"exceeded quota: {name}, requested: {shown[0]}, used: {shown[1]}, limited: {shown[2]}"


def _split(key: str) -> tuple[str, str] | None:
    group, _, resource = _ALIASES.get(key, key).partition(".")
    return (group, resource) if group in ("requests", "limits") else None


def _without(pod: Object, key: str) -> list[str]:
    parts = _split(key)
    if parts is None:
        return []
    group, resource = parts
    return [c["name"] for c in pod["spec"]["containers"] if resource not in c["resources"].get(group, {})]


def _usage(pods: list[Object], key: str) -> Decimal:
    if key in _COUNTS:
        return Decimal(len(pods))
    parts = _split(key)
    if parts is None:
        return Decimal(0)
    group, resource = parts
    amounts = (c.get("resources", {}).get(group, {}).get(resource, 0) for p in pods for c in p["spec"]["containers"])
    return sum((quantity.parse(amount) for amount in amounts), Decimal(0))


def _shown(amount: Decimal) -> str:
    for suffix, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if amount and amount % size == 0:
            return f"{int(amount // size)}{suffix}"
    return str(int(amount)) if amount == int(amount) else f"{int(amount * 1000)}m"
