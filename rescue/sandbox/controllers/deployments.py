"""Deployments: one ReplicaSet per template, rolled over within maxSurge and maxUnavailable."""

import json
import math

from rescue.sandbox.controllers import claim, pods
from rescue.sandbox.events import record
from rescue.sandbox.names import hash_suffix
from rescue.sandbox.objects import Object, copy, timestamp
from rescue.sandbox.store import Store

COMPONENT = "deployment-controller"
HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"


def reconcile(store: Store) -> None:
    """Make, scale and roll the ReplicaSets of every Deployment and write its status."""
    for deployment in store.list("deployments"):
        if "deletionTimestamp" in deployment["metadata"]:
            continue
        owned = claim.claim(store, deployment, "replicasets")
        current = _current(store, deployment, owned)
        old = [found for found in owned if found["metadata"]["uid"] != current["metadata"]["uid"]]
        if not deployment["spec"].get("paused"):
            _roll(store, deployment, current, old)
        pods.set_status(store, "deployments", deployment, _status(store, deployment))


def _current(store: Store, deployment: Object, owned: list[Object]) -> Object:
    template = deployment["spec"]["template"]
    for replica_set in owned:
        if _without_hash(replica_set["spec"]["template"]) == template:
            return replica_set
    revision = str(1 + max((_revision(found) for found in owned), default=0))
    made = store.create("replicasets", _replica_set(deployment, revision))
    deployment["metadata"].setdefault("annotations", {})[REVISION] = revision
    deployment["metadata"].pop("resourceVersion", None)
    store.update("deployments", deployment)
    return made


def _without_hash(template: Object) -> Object:
    bare = copy(template)
    bare["metadata"]["labels"].pop(HASH_LABEL, None)
    return bare


def _revision(replica_set: Object) -> int:
    return int(replica_set["metadata"].get("annotations", {}).get(REVISION, 0))


def _replica_set(deployment: Object, revision: str) -> Object:
    spec, name = deployment["spec"], deployment["metadata"]["name"]
    suffix = hash_suffix(json.dumps(spec["template"], sort_keys=True))
    label = {HASH_LABEL: suffix}
    template = copy(spec["template"])
    template["metadata"]["labels"] |= label
    selector = copy(spec["selector"])
    selector["matchLabels"] = selector.get("matchLabels", {}) | label
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name}-{suffix}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": dict(template["metadata"]["labels"]),
            "annotations": {REVISION: revision},
            "ownerReferences": [claim.reference_to(deployment)],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
        "status": {"replicas": 0},
    }


def _roll(store: Store, deployment: Object, current: Object, old: list[Object]) -> None:
    spec = deployment["spec"]
    wanted = spec["replicas"]
    if spec["strategy"]["type"] == "Recreate":
        for replica_set in old:
            _scale(store, deployment, replica_set, 0)
        if not any(found.get("status", {}).get("replicas") for found in old):
            _scale(store, deployment, current, wanted)
        return
    rolling = spec["strategy"].get("rollingUpdate", {})
    surge = share(rolling.get("maxSurge", "25%"), wanted, math.ceil)
    missing = share(rolling.get("maxUnavailable", "25%"), wanted, math.floor)
    if surge == missing == 0:
        missing = 1
    _scale_up(store, deployment, current, old, wanted + surge)
    _scale_down(store, deployment, current, old, wanted - missing)


def share(value: int | str, total: int, rounded: "type[int] | object" = math.floor) -> int:
    """An IntOrString of ``total``: a number as it is, a percentage rounded."""
    if isinstance(value, int):
        return value
    exact = total * int(value.rstrip("%")) / 100
    return math.ceil(exact) if rounded is math.ceil else math.floor(exact)


def _scale_up(store: Store, deployment: Object, current: Object, old: list[Object], most: int) -> None:
    now = current["spec"]["replicas"]
    room = most - sum(found["spec"]["replicas"] for found in [current, *old])
    wanted = deployment["spec"]["replicas"]
    target = wanted if now >= wanted else min(wanted, now + max(0, room))
    _scale(store, deployment, current, target)


def _scale_down(store: Store, deployment: Object, current: Object, old: list[Object], least: int) -> None:
    current = store.get("replicasets", current["metadata"]["namespace"], current["metadata"]["name"])
    unavailable = current["spec"]["replicas"] - current.get("status", {}).get("availableReplicas", 0)
    spare = sum(found["spec"]["replicas"] for found in [current, *old]) - least - unavailable
    for replica_set in sorted(old, key=_revision):
        # Pods that are not available hold nothing up, so they may go first.
        now = replica_set["spec"]["replicas"]
        dead = now - replica_set.get("status", {}).get("availableReplicas", 0)
        less = min(now, max(dead, spare, 0))
        spare -= less
        _scale(store, deployment, replica_set, now - less)


def _scale(store: Store, deployment: Object, replica_set: Object, wanted: int) -> None:
    meta = replica_set["metadata"]
    found = store.get("replicasets", meta["namespace"], meta["name"])
    now = found["spec"]["replicas"]
    if now == wanted:
        return
    found["spec"]["replicas"] = wanted
    store.update("replicasets", found)
    direction = "up" if wanted > now else "down"
    message = f"Scaled {direction} replica set {meta['name']} from {now} to {wanted}"
    record(store, deployment, "ScalingReplicaSet", message, "Normal", COMPONENT)


def _status(store: Store, deployment: Object) -> Object:
    owned = claim.claim(store, deployment, "replicasets")
    template = deployment["spec"]["template"]
    total = _sum(owned, "replicas")
    ready = _sum(owned, "readyReplicas")
    updated = _sum([r for r in owned if _without_hash(r["spec"]["template"]) == template], "replicas")
    wanted = deployment["spec"]["replicas"]
    counts = {
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, wanted - ready),
    }
    status: Object = {"observedGeneration": deployment["metadata"]["generation"]}
    status |= {key: value for key, value in counts.items() if value}
    least = wanted - share(_max_unavailable(deployment), wanted)
    done = updated >= wanted and ready >= wanted and total == updated
    return status | {"conditions": _conditions(deployment, ready >= least, done)}


def _max_unavailable(deployment: Object) -> int | str:
    found: int | str = deployment["spec"]["strategy"].get("rollingUpdate", {}).get("maxUnavailable", 0)
    return found


def _sum(owned: list[Object], field: str) -> int:
    return sum(found.get("status", {}).get(field, 0) for found in owned)


def _conditions(deployment: Object, available: bool, done: bool) -> list[Object]:
    word = "has" if available else "does not have"
    name = deployment["metadata"]["name"]
    new = [
        {
            "type": "Available",
            "status": "True" if available else "False",
            "reason": "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable",
            "message": f"Deployment {word} minimum availability.",
        },
        {
            "type": "Progressing",
            "status": "True",
            "reason": "NewReplicaSetAvailable" if done else "ReplicaSetUpdated",
            "message": f'Deployment "{name}" ' + ("has successfully progressed." if done else "is progressing."),
        },
    ]
    old = {c["type"]: c for c in deployment.get("status", {}).get("conditions", [])}
    return [_dated(condition, old.get(str(condition["type"]))) for condition in new]


def _dated(new: Object, old: Object | None) -> Object:
    now = timestamp()
    if old and all(old.get(key) == new[key] for key in new):
        return old
    changed = old["lastTransitionTime"] if old and old["status"] == new["status"] else now
    return new | {"lastUpdateTime": now, "lastTransitionTime": changed}
