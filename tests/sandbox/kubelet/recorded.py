"""Pods recorded on a real cluster, read back into what the kubelet observes."""

import json
from pathlib import Path

from rescue.sandbox.kubelet.observed import Container, Exit, PodView, Run, Waiting, containers_of
from rescue.sandbox.store import Object

PODS = Path(__file__).parent.parent / "data" / "pods"


def pod(name: str) -> Object:
    """One recording: first, statuses, last, events, logs."""
    recording: Object = json.loads((PODS / f"{name}.json").read_text())
    return recording


def view(recorded: Object, status: Object, old: Object, failure: tuple[str, str] | None) -> PodView:
    """The observations that ``status`` shows, of a pod whose status was ``old`` before."""
    conditions = {condition["type"]: condition["status"] for condition in status["conditions"]}
    containers = containers_of(recorded)
    entries = {
        entry["name"]: entry
        for field in ("initContainerStatuses", "containerStatuses")
        for entry in status.get(field, [])
    }
    for container in containers:
        _observe(container, entries[container.name])
    return PodView(
        pod=recorded | {"status": old},
        containers=containers,
        host_ip=status["hostIP"],
        start_time=status["startTime"],
        ip=status.get("podIP", ""),
        sandbox_ready=conditions["PodReadyToStartContainers"] == "True",
        phase_settled=status["phase"] in ("Succeeded", "Failed"),
        failure=failure,
    )


def _observe(container: Container, entry: Object) -> None:
    container.ready, container.started = entry["ready"], entry["started"]
    state, last = entry["state"], entry["lastState"].get("terminated")
    if "waiting" in state and ("containerID" in entry or state["waiting"]["reason"] not in _FIRST):
        container.waiting = Waiting(state["waiting"]["reason"], state["waiting"].get("message", ""))
    if "containerID" not in entry:
        return
    end = state.get("terminated") or (last if container.waiting else None)
    container.run = _run(entry, end, state.get("running", {}).get("startedAt", ""))
    if last and not container.waiting:
        container.previous = _run(entry, last, "")


_FIRST = ("ContainerCreating", "PodInitializing")


def _run(entry: Object, end: Object | None, started: str) -> Run:
    user = entry["user"]["linux"]
    identity = (end or entry)["containerID"].removeprefix("containerd://")
    run = Run(entry["restartCount"], identity, entry["image"], entry["imageID"], Path("log"))
    run.uid, run.gid, run.groups = user["uid"], user["gid"], tuple(user["supplementalGroups"])
    run.started = started or (end or {})["startedAt"]
    if end:
        fields = (end["exitCode"], end["reason"], end["finishedAt"], end["startedAt"])
        run.exit = Exit(*fields, end.get("message", ""))
    return run
