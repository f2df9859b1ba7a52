"""A cluster without API server and kubelet: a store, a node, the controllers, and short ways to use them."""

from typing import Any

from rescue.sandbox import bootstrap, registry, resources
from rescue.sandbox.controllers import settle
from rescue.sandbox.objects import Object
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.store import Store


def create(store: Store, plural: str, name: str, spec: Object, **metadata: Any) -> Object:
    resource = resources.BY_PLURAL[plural]
    body = {"metadata": {"name": name} | metadata, "spec": spec}
    namespace = "default" if resource.namespaced else ""
    made = registry.create(store, Target(resource, namespace), body, Options(field_validation="Strict"))
    settle(store)
    return made


def delete(store: Store, plural: str, name: str, **options: Any) -> None:
    registry.delete(store, Target(resources.BY_PLURAL[plural], "default", name), options, dry_run=False)
    settle(store)


def end(store: Store, pod: str) -> None:
    """What the kubelet does when the containers of a deleted pod have ended."""
    store.delete("pods", "default", pod)
    settle(store)


def template(app: str = "x", **spec: Any) -> Object:
    containers = [{"name": "a", "image": "busybox:1.36"}]
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": containers} | spec}


def workload(app: str = "x", **more: Any) -> Object:
    return {"selector": {"matchLabels": {"app": app}}, "template": template(app)} | more


def orphan(store: Store, name: str, **labels: str) -> Object:
    return create(store, "pods", name, template()["spec"], labels=labels)


def names(store: Store, plural: str = "pods", leaving: bool = False) -> list[str]:
    """Names of the objects, without those that are being deleted."""
    found = store.list(plural, "default")
    return [o["metadata"]["name"] for o in found if leaving or "deletionTimestamp" not in o["metadata"]]


def set_phase(store: Store, name: str, phase: str, ready: bool = False) -> None:
    """What the kubelet would report; a pod that is being deleted and has ended goes."""
    pod = store.get("pods", "default", name)
    ready_text = "True" if ready else "False"
    pod["status"] |= {"phase": phase, "conditions": [{"type": "Ready", "status": ready_text}], "podIP": "10.0.0.9"}
    store.update("pods", pod)
    settle(store)


def controller_kind(store: Store, name: str) -> str | None:
    owners = store.get("pods", "default", name)["metadata"].get("ownerReferences", [])
    return next((owner["kind"] for owner in owners if owner.get("controller")), None)


def job(**more: Any) -> Object:
    pod = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "busybox:1.36"}]}}
    return {"template": pod} | more


def furnished(*nodes: Object) -> Store:
    """A store with what every cluster has, and nodes."""
    made = Store()
    bootstrap.fill(made, "CA", 6443)
    for node in nodes:
        made.create("nodes", node)
    return made


def node(name: str = "node1", **more: Any) -> Object:
    """A node with two cores; ``labels``, ``taints``, ``allocatable`` and so on as given."""
    made: Object = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name} | more.get("labels", {})},
        "spec": {key: more[key] for key in ("taints", "unschedulable") if key in more},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"} | more.get("allocatable", {})},
    }
    return made


def refusal(store: Store, name: str) -> str:
    """What the scheduler says of a pod that waits; "" when it has a node."""
    pod = store.get("pods", "default", name)
    scheduled = [c for c in pod["status"].get("conditions", []) if c["type"] == "PodScheduled"]
    return "" if pod["spec"].get("nodeName") else str(scheduled[0]["message"] if scheduled else None)


def events(store: Store, name: str) -> list[tuple[str, str]]:
    """(reason, message) of the events about an object, in order."""
    found = [e for e in store.list("events") if e["involvedObject"]["name"] == name]
    found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
    return [(event["reason"], event["message"]) for event in found]
