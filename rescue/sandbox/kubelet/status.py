"""A pod's status as a real 1.36 kubelet writes it, built from observations; pure."""

from typing import Any

from rescue.sandbox.kubelet.conditions import conditions
from rescue.sandbox.kubelet.observed import Container, Exit, Kind, PodView, Run
from rescue.sandbox.kubelet.phase import phase_of
from rescue.sandbox.kubelet.resources import pod_resources
from rescue.sandbox.store import Object

# The scheme of containerID; the node's containerRuntimeVersion begins with it too.
RUNTIME_NAME = "podman"
NEVER_STARTED = "1970-01-01T00:00:00Z"


def pod_status(view: PodView, now: str) -> Object:
    """The whole ``status``; ``now`` is the lastTransitionTime of conditions that change."""
    phase = phase_of(view)
    resources = pod_resources(view)
    settled = phase if view.phase_settled or phase not in ("Succeeded", "Failed") else _before(view)
    status: Object = {
        "conditions": conditions(view, phase, now),
        "hostIP": view.host_ip,
        "hostIPs": [{"ip": view.host_ip}],
        "observedGeneration": view.pod["metadata"].get("generation", 1),
        "phase": settled,
        "qosClass": view.pod.get("status", {}).get("qosClass", "BestEffort"),
        "resources": resources,
        "startTime": view.start_time,
    }
    if resources.get("requests"):
        status["allocatedResources"] = resources["requests"]
    return status | _address(view) | _lists(view) | _failure(view, settled)


def container_status(container: Container, initializing: bool) -> Object:
    """One entry of ``containerStatuses``; ``initializing``: the pod has init containers."""
    run = container.run
    status: Object = {
        "image": run.image if run else container.spec["image"],
        "imageID": run.image_id if run else "",
        "lastState": _last_state(container),
        "name": container.name,
        "ready": container.ready,
        "restartCount": run.attempt if run else 0,
        "started": container.started,
        "state": _state(container, initializing),
    }
    if mounts := [_mount(mount) for mount in container.spec.get("volumeMounts", [])]:
        status["volumeMounts"] = mounts
    return status | (_of_run(run, container.spec) if run else {})


def pod_key(pod: Object) -> str:
    """``name_namespace(uid)``, as messages name a pod."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def _before(view: PodView) -> str:
    ran = any(container.run for container in view.of(Kind.APP))
    return "Running" if ran else "Pending"


def _address(view: PodView) -> Object:
    return {"podIP": view.ip, "podIPs": [{"ip": view.ip}]} if view.ip else {}


def _failure(view: PodView, phase: str) -> Object:
    if view.failure is None or phase != "Failed":
        return {}
    return {"reason": view.failure[0], "message": view.failure[1]}


def _lists(view: PodView) -> Object:
    initializing = bool(view.of(Kind.INIT, Kind.SIDECAR))
    lists = {
        "initContainerStatuses": view.of(Kind.INIT, Kind.SIDECAR),
        "containerStatuses": view.of(Kind.APP),
        "ephemeralContainerStatuses": view.of(Kind.EPHEMERAL),
    }
    return {
        name: [container_status(container, initializing) for container in containers]
        for name, containers in lists.items()
        if containers
    }


def _state(container: Container, initializing: bool) -> Object:
    if container.waiting:
        message = {"message": container.waiting.message} if container.waiting.message else {}
        return {"waiting": {"reason": container.waiting.reason} | message}
    run = container.run
    if run is None:
        return {"waiting": {"reason": "PodInitializing" if initializing else "ContainerCreating"}}
    if run.exit:
        return {"terminated": _terminated(run, run.exit)}
    return {"running": {"startedAt": run.started}}


def _last_state(container: Container) -> Object:
    last = container.run if container.waiting else container.previous
    return {"terminated": _terminated(last, last.exit)} if last and last.exit else {}


def _terminated(run: Run, end: Exit) -> Object:
    state: Object = {
        "containerID": f"{RUNTIME_NAME}://{run.id}",
        "exitCode": end.code,
        "finishedAt": end.finished,
        "reason": end.reason,
        "startedAt": end.started,
    }
    return state | ({"message": end.message} if end.message else {})


def _mount(mount: Object) -> Object:
    shown = {"mountPath": mount["mountPath"], "name": mount["name"]}
    return shown | ({"readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})


def _of_run(run: Run, spec: Object) -> Object:
    resources: dict[str, Any] = {key: value for key, value in spec.get("resources", {}).items() if value}
    groups = [run.gid, *(group for group in run.groups if group != run.gid)]
    status: Object = {
        "containerID": f"{RUNTIME_NAME}://{run.id}",
        "resources": resources,
        "user": {"linux": {"gid": run.gid, "supplementalGroups": groups, "uid": run.uid}},
    }
    return status | ({"allocatedResources": resources["requests"]} if resources.get("requests") else {})
