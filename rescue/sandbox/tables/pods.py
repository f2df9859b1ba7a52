"""The pod columns (pkg/printers/internalversion printPod)."""

from datetime import datetime

from rescue.sandbox.objects import Object
from rescue.sandbox.tables.columns import AGE, NAME, Column, age, at, plain

_SPEC = "io.k8s.api.core.v1.PodSpec"
_STATUS = "io.k8s.api.core.v1.PodStatus"


def _sidecars(pod: Object) -> set[str]:
    containers = pod["spec"].get("initContainers", [])
    return {container["name"] for container in containers if container.get("restartPolicy") == "Always"}


def _counted(pod: Object) -> list[Object]:
    """The statuses that Ready and Restarts count: sidecars and containers."""
    status = pod.get("status", {})
    sidecars = [s for s in status.get("initContainerStatuses", []) if s["name"] in _sidecars(pod)]
    return sidecars + list(status.get("containerStatuses", []))


def ready(pod: Object) -> str:
    """``1/2``."""
    total = len(pod["spec"]["containers"]) + len(_sidecars(pod))
    return f"{sum(1 for status in _counted(pod) if status.get('ready'))}/{total}"


def restarts(pod: Object, now: datetime) -> str:
    """``6 (12s ago)``."""
    init = pod.get("status", {}).get("initContainerStatuses", [])
    counted = init if _initializing(pod) else _counted(pod)
    count = sum(status.get("restartCount", 0) for status in counted)
    finished = [
        status["lastState"]["terminated"].get("finishedAt")
        for status in counted
        if "terminated" in (status.get("lastState") or {})
    ]
    times = sorted(filter(None, finished))
    return f"{count} ({age(times[-1], now)} ago)" if count and times else str(count)


def status_text(pod: Object) -> str:
    """The Status column: the pod's reason, or the one of the container that tells most."""
    status = pod.get("status", {})
    reason = status.get("reason") or status.get("phase", "")
    if any(c.get("reason") == "SchedulingGated" for c in status.get("conditions", [])):
        reason = "SchedulingGated"
    initializing = _initializing(pod)
    reason = initializing or _containers_reason(status, reason)
    if "deletionTimestamp" in pod["metadata"]:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def _initializing(pod: Object) -> str:
    statuses = pod.get("status", {}).get("initContainerStatuses", [])
    total = len(pod["spec"].get("initContainers", []))
    for index, status in enumerate(statuses):
        state = status.get("state", {})
        if state.get("terminated", {}).get("exitCode") == 0:
            continue
        if status["name"] in _sidecars(pod) and status.get("started"):
            continue
        if "terminated" in state:
            return "Init:" + _terminated(state["terminated"])
        waiting = state.get("waiting", {}).get("reason", "")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{index}/{total}"
    return ""


def _containers_reason(status: Object, reason: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses", [])):
        state = container.get("state", {})
        if state.get("waiting", {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state:
            reason = _terminated(state["terminated"])
        elif container.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
        return "Running" if is_ready else "NotReady"
    return reason


def _terminated(state: Object) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _gates(pod: Object) -> str:
    gates = pod["spec"].get("readinessGates", [])
    conditions = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions", [])}
    true = sum(1 for gate in gates if conditions.get(gate["conditionType"]) == "True")
    return f"{true}/{len(gates)}" if gates else "<none>"


COLUMNS = (
    NAME,
    Column("Ready", plain(ready), "The aggregate readiness state of this pod for accepting traffic."),
    Column("Status", plain(status_text), "The aggregate status of the containers in this pod."),
    Column(
        "Restarts",
        restarts,
        "The number of times the containers in this pod have been restarted and when the last container"
        " in this pod has restarted.",
    ),
    AGE,
    Column("IP", at("status.podIP"), f"{_STATUS}.podIP", 1),
    Column("Node", at("spec.nodeName"), f"{_SPEC}.nodeName", 1),
    Column("Nominated Node", at("status.nominatedNodeName"), f"{_STATUS}.nominatedNodeName", 1),
    Column("Readiness Gates", plain(_gates), f"{_SPEC}.readinessGates", 1),
)
