"""The five conditions that a kubelet keeps on a pod; pure."""

from rescue.sandbox.kubelet.observed import Kind, PodView
from rescue.sandbox.store import Object

OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
# Truth, reason, message.
Verdict = tuple[bool, str, str]


def conditions(view: PodView, phase: str, now: str) -> list[Object]:
    """The list in the kubelet's order; conditions of others (readiness gates) follow unchanged."""
    old = {condition["type"]: condition for condition in view.pod.get("status", {}).get("conditions", [])}
    containers_ready = _containers_ready(view, phase)
    verdicts: dict[str, Verdict] = {
        "PodReadyToStartContainers": (view.sandbox_ready, "", ""),
        "Initialized": _initialized(view),
        "Ready": _ready(view, containers_ready, old),
        "ContainersReady": containers_ready,
        "PodScheduled": (True, "", ""),
    }
    generation = view.pod["metadata"].get("generation", 1)
    ours = [_condition(name, verdicts[name], old.get(name), generation, now) for name in OURS]
    return ours + [condition for name, condition in old.items() if name not in OURS]


def _condition(name: str, verdict: Verdict, old: Object | None, generation: int, now: str) -> Object:
    truth, reason, message = verdict
    status = "True" if truth else "False"
    unchanged = old is not None and old["status"] == status
    condition = {
        "lastProbeTime": None,
        "lastTransitionTime": old["lastTransitionTime"] if old and unchanged else now,
        "message": message,
        "observedGeneration": generation,
        "reason": reason,
        "status": status,
        "type": name,
    }
    return {key: value for key, value in condition.items() if value != ""}


def _initialized(view: PodView) -> Verdict:
    if any(container.run for container in view.of(Kind.APP)):
        return True, "", ""
    incomplete = [
        c.name
        for c in view.of(Kind.INIT, Kind.SIDECAR)
        if not (c.ready if c.kind is Kind.INIT else c.started and c.ready)
    ]
    if not incomplete:
        return True, "", ""
    return False, "ContainersNotInitialized", f"containers with incomplete status: {_names(incomplete)}"


def _containers_ready(view: PodView, phase: str) -> Verdict:
    finished = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}
    if phase in finished:
        return False, finished[phase], ""
    unready = [c.name for c in view.of(Kind.SIDECAR, Kind.APP) if not c.ready]
    if not unready:
        return True, "", ""
    return False, "ContainersNotReady", f"containers with unready status: {_names(unready)}"


def _ready(view: PodView, containers_ready: Verdict, old: dict[str, Object]) -> Verdict:
    if not containers_ready[0]:
        return containers_ready
    gates = [gate["conditionType"] for gate in view.pod["spec"].get("readinessGates", [])]
    unmet = [message for gate in gates if (message := _unmet(gate, old.get(gate)))]
    return (False, "ReadinessGatesNotReady", ", ".join(unmet)) if unmet else (True, "", "")


def _unmet(gate: str, condition: Object | None) -> str:
    if condition is None:
        return f'corresponding condition of pod readiness gate "{gate}" does not exist.'
    if condition["status"] != "True":
        return f'the status of pod readiness gate "{gate}" is not "True", but {condition["status"]}'
    return ""


def _names(names: list[str]) -> str:
    return f"[{' '.join(names)}]"
