"""StatefulSets: pods with ordinals, made one after the other, each with its claims."""

import re

from rescue.sandbox import registry, resources
from rescue.sandbox.controllers import claim, pods
from rescue.sandbox.controllers.daemonsets import revision
from rescue.sandbox.objects import Object, copy
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.store import NotFound, Store

_CLAIMS = resources.BY_PLURAL["persistentvolumeclaims"]
COMPONENT = "statefulset-controller"
_CREATED = "create Pod {name} in StatefulSet {set} successful"
_DELETED = "delete Pod {name} in StatefulSet {set} successful"


def reconcile(store: Store) -> None:
    """Bring every StatefulSet's pods to the wanted ordinals and write its status."""
    for stateful_set in store.list("statefulsets"):
        if "deletionTimestamp" in stateful_set["metadata"]:
            continue
        name = stateful_set["metadata"]["name"]
        found = claim.claim(store, stateful_set, eligible=lambda pod, name=name: ordinal(name, pod) is not None)  # type: ignore[misc]
        _scale(store, stateful_set, found)
        pods.set_status(store, "statefulsets", stateful_set, _status(stateful_set, claim.active(found)))


def ordinal(name: str, pod: Object) -> int | None:
    """The number of a pod named ``NAME-ORDINAL``; ``None`` for any other name (isMemberOf of Kubernetes)."""
    match = re.fullmatch(f"{re.escape(name)}-([0-9]+)", pod["metadata"]["name"])
    return int(match[1]) if match else None


def _scale(store: Store, stateful_set: Object, found: list[Object]) -> None:
    name, spec = stateful_set["metadata"]["name"], stateful_set["spec"]
    by_ordinal = {ordinal(name, pod): pod for pod in found}
    start = spec.get("ordinals", {}).get("start", 0)
    wanted = range(start, start + spec["replicas"])
    ordered = spec["podManagementPolicy"] == "OrderedReady"
    for number in wanted:
        pod = by_ordinal.get(number)
        if pod is None:
            _create(store, stateful_set, number)
        elif claim.ended(pod):
            _delete(store, stateful_set, pod)
        if ordered and (pod is None or not claim.is_ready(pod)):
            break
    else:
        _replace_stale(store, stateful_set, [by_ordinal[number] for number in wanted])
    surplus = sorted((n for n in by_ordinal if n is not None and n not in wanted), reverse=True)
    for number in surplus[:1] if ordered else surplus:
        _delete(store, stateful_set, by_ordinal[number])


def _replace_stale(store: Store, stateful_set: Object, found: list[Object]) -> None:
    """RollingUpdate: from the last ordinal down, one at a time, while all are ready."""
    if stateful_set["spec"]["updateStrategy"]["type"] != "RollingUpdate":
        return
    for pod in reversed(found):
        if _revision_of(pod) != _revision_name(stateful_set):
            _delete(store, stateful_set, pod)
            return


def _revision_name(stateful_set: Object) -> str:
    return f"{stateful_set['metadata']['name']}-{revision(stateful_set)}"


def _revision_of(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get("controller-revision-hash", ""))


def _create(store: Store, stateful_set: Object, number: int) -> None:
    name, spec = stateful_set["metadata"]["name"], stateful_set["spec"]
    pod_name = f"{name}-{number}"
    labels = {
        "apps.kubernetes.io/pod-index": str(number),
        "controller-revision-hash": _revision_name(stateful_set),
        "statefulset.kubernetes.io/pod-name": pod_name,
    }
    pod = pods.from_template(stateful_set, spec["template"], labels)
    pod["metadata"]["name"] = pod_name
    pod["spec"] |= {"hostname": pod_name, "subdomain": spec.get("serviceName", "")}
    _add_claims(store, stateful_set, pod)
    pods.create(store, stateful_set, pod, COMPONENT, _CREATED.replace("{set}", name))


def _delete(store: Store, stateful_set: Object, pod: Object) -> None:
    if "deletionTimestamp" not in pod["metadata"]:
        said = _DELETED.replace("{set}", stateful_set["metadata"]["name"])
        pods.delete(store, stateful_set, pod, COMPONENT, said)


def _add_claims(store: Store, stateful_set: Object, pod: Object) -> None:
    namespace = stateful_set["metadata"]["namespace"]
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    for template in stateful_set["spec"].get("volumeClaimTemplates", []):
        short = template["metadata"]["name"]
        name = f"{short}-{pod['metadata']['name']}"
        volumes[short] = {"name": short, "persistentVolumeClaim": {"claimName": name}}
        try:
            store.get("persistentvolumeclaims", namespace, name)
        except NotFound:
            registry.create(store, Target(_CLAIMS, namespace), _claim(stateful_set, template, name), Options())
    if volumes:
        pod["spec"]["volumes"] = list(volumes.values())


def _claim(stateful_set: Object, template: Object, name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "namespace": stateful_set["metadata"]["namespace"],
            "labels": dict(stateful_set["spec"]["selector"].get("matchLabels", {})),
        },
        "spec": copy(template["spec"]),
    }


def _status(stateful_set: Object, found: list[Object]) -> Object:
    ready = sum(1 for pod in found if claim.is_ready(pod))
    name = _revision_name(stateful_set)
    status = {
        "replicas": len(found),
        "availableReplicas": ready,
        "observedGeneration": stateful_set["metadata"]["generation"],
        "currentRevision": name,
        "updateRevision": name,
        "collisionCount": 0,
    }
    fresh = sum(1 for pod in found if _revision_of(pod) == name)
    more = {"readyReplicas": ready, "currentReplicas": fresh, "updatedReplicas": fresh}
    return status | {key: value for key, value in more.items() if value}
