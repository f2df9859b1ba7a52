"""Which container of a pod fails, how, and whether a replay can say why.  Pure: a pod's JSON in, a Target out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rescue import unstarted
from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject, Owner, Target
from rescue.refusal import refusal, refuse_unfit, refuse_unusable

# Worst first: a container in one of these states is chosen before one in a later state.
STATES = ("CrashLoopBackOff", "terminated", "restarted", unstarted.STATE, "waiting", "running")
FAILING = STATES[:4]
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"  # Meshes set it, so that nobody gets their sidecar.
# A container whose command cannot be executed says RunContainerError until the back-off begins.
_CRASHING = ("CrashLoopBackOff", "RunContainerError")


@dataclass(frozen=True)
class _Candidate:
    name: str
    is_init: bool
    state: str
    reason: str
    message: str
    restarts: int
    last: Mapping[str, object]
    order: int


def _last_terminated(status: JsonObject) -> JsonObject:
    state, last = status.get("state") or {}, status.get("lastState") or {}
    return state.get("terminated") or last.get("terminated") or {}


def _state(status: JsonObject, restarts_on_success: bool) -> tuple[str, str, str]:
    """State of the STATES list, reason and message."""
    state = status.get("state") or {}
    waiting, terminated = state.get("waiting"), state.get("terminated")
    last = _last_terminated(status)
    if waiting:
        reason = waiting.get("reason", "")
        if unstarted.refused(state, bool(last)):
            return unstarted.STATE, reason, waiting.get("message", "")
        name = "CrashLoopBackOff" if reason in _CRASHING else "restarted" if last else "waiting"
        return name, reason, waiting.get("message", "")
    if terminated:
        ended_well = terminated.get("exitCode") == 0 and not restarts_on_success
        return ("waiting" if ended_well else "terminated"), terminated.get("reason", ""), terminated.get("message", "")
    if "running" in state:
        return ("restarted" if last else "running"), last.get("reason", ""), last.get("message", "")
    return "waiting", "", ""


def _candidates(pod: JsonObject) -> list[_Candidate]:
    status, spec = pod.get("status", {}), pod["spec"]
    always = spec.get("restartPolicy", "Always") == "Always"
    sidecars = [c["name"] for c in spec.get("initContainers", ()) if c.get("restartPolicy") == "Always"]
    found: list[_Candidate] = []
    for key, is_init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for entry in status.get(key) or ():
            restarts_on_success = entry["name"] in sidecars or (always and not is_init)
            state, reason, message = _state(entry, restarts_on_success)
            last = {} if state == unstarted.STATE else _last_terminated(entry)
            restarts = entry.get("restartCount", 0)
            found.append(_Candidate(entry["name"], is_init, state, reason, message, restarts, last, len(found)))
    return found


def badness(state: str, exit_code: object, restarts: int) -> tuple[int, bool, int]:
    """Sort key, worst first, of containers and of pods: state, a bad exit before a good one, more restarts."""
    return (STATES.index(state), exit_code == 0, -restarts)


def _rank(candidate: _Candidate) -> tuple[int, bool, int, int]:
    """Sort key, worst first; among equals the pod's own order."""
    return (*badness(candidate.state, candidate.last.get("exitCode"), candidate.restarts), candidate.order)


def _seconds(last: Mapping[str, object]) -> float | None:
    """How long the container's last run took."""
    started, finished = last.get("startedAt"), last.get("finishedAt")
    # A container that could not be started has the zero of Unix time as its start.
    if not started or not finished or str(started).startswith("1970-"):
        return None
    return (datetime.fromisoformat(str(finished)) - datetime.fromisoformat(str(started))).total_seconds()


def _choice(chosen: _Candidate, failing: Sequence[_Candidate], named: bool) -> str:
    if named:
        return "named by -c"
    others = [other.name for other in failing if other.name != chosen.name]
    if not others:
        return "the only failing container"
    return f"the worst of {len(others) + 1} failing containers (also: {', '.join(others)}; choose with -c)"


def choose_target(
    pod: JsonObject, container: str | None, owner: Owner | None, shortage: str = "", now: datetime | None = None
) -> Target:
    """The container to rescue: the named one, else the worst; one in the state "never started" needs no clone.

    ``shortage`` says by how much an unscheduled pod does not fit; ``now`` is for how long something takes already.
    Raises RescueError: usage for a container that the pod has not; refused when nothing fails.
    """
    refuse_unusable(pod, shortage)
    name = pod["metadata"]["name"]
    _check_name(pod, container)
    considered = [c for c in _candidates(pod) if container in (None, c.name)]
    failing = sorted((c for c in considered if c.state in FAILING), key=_rank)
    if failing:
        return _target(pod, failing[0], owner, _choice(failing[0], failing, container is not None))
    if (held := _held_back(pod, container)) is not None:
        return _target(pod, held, owner, "named by -c" if container else "no container was started yet")
    what = f"container {container!r} of pod {name!r}" if container else f"pod {name!r}"
    raise refusal(
        f"{what} does not fail: {_describe(considered, pod, now)}",
        f"nothing was created; look at: kubectl describe pod {name} -n {pod['metadata'].get('namespace', 'default')}",
    )


def _held_back(pod: JsonObject, container: str | None) -> _Candidate | None:
    """The named or first container of a pod that waits for what all of them stand on: a claim, volumes, network."""
    spec = pod["spec"]
    inits = [c["name"] for c in spec.get("initContainers", ())]
    name = container or [*inits, *(c["name"] for c in spec["containers"])][0]
    if unstarted.waits_for_claim(pod):
        return _Candidate(name, name in inits, unstarted.STATE, unstarted.UNSCHEDULABLE, "", 0, {}, 0)
    entry = next((c for c in _candidates(pod) if c.name == name), None)
    return replace(entry, state=unstarted.STATE) if entry and unstarted.preparing(pod) else None


def _check_name(pod: JsonObject, container: str | None) -> None:
    spec = pod["spec"]
    names = [c["name"] for c in [*spec.get("initContainers", ()), *spec.get("containers", ())]]
    if container is not None and container not in names:
        raise RescueError(
            f"pod {pod['metadata']['name']!r} has no container {container!r}",
            f"it has: {', '.join(names)}",
            ExitCode.USAGE,
        )


def _describe(candidates: Sequence[_Candidate], pod: JsonObject, now: datetime | None) -> str:
    if not candidates:
        return _unreported(pod)
    states = ", ".join(f"{c.name} is {c.reason or c.state} ({c.restarts} restarts)" for c in candidates)
    return f"{states}{unstarted.held_up(pod, now)}"


def _unreported(pod: JsonObject) -> str:
    """Why a pod may have no status of any container: nobody gave it a node, or its node is silent."""
    spec, phase = pod["spec"], pod.get("status", {}).get("phase", "Pending")
    node, scheduler = spec.get("nodeName"), spec.get("schedulerName", "default-scheduler")
    who = f"node {node} has not reported on it" if node else f"{scheduler} has not looked at it"
    return f"it is {phase} and has no container status; {who} so far"


def _target(pod: JsonObject, chosen: _Candidate, owner: Owner | None, choice: str) -> Target:
    spec = pod["spec"]
    everyone = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    image = next(c.get("image", "") for c in everyone if c["name"] == chosen.name)
    exit_code, signal = chosen.last.get("exitCode"), chosen.last.get("signal")
    return Target(
        namespace=pod["metadata"].get("namespace", "default"),
        pod=pod["metadata"]["name"],
        container=chosen.name,
        is_init=chosen.is_init,
        image=image,
        state=chosen.state,
        reason=str(chosen.last.get("reason") or chosen.reason),
        exit_code=exit_code if isinstance(exit_code, int) else None,
        signal=signal if isinstance(signal, int) else None,
        restarts=chosen.restarts,
        lifetime=_seconds(chosen.last),
        owner=owner,
        choice=choice,
    )


def offline_target(pod: JsonObject, container: str | None) -> Target:
    """The target of a manifest without status: the named container, else the one that kubectl takes by default.

    Raises RescueError: usage for a container that the pod has not; refused for a pod that cannot have a clone.
    """
    refuse_unfit(pod)
    _check_name(pod, container)
    spec = pod["spec"]
    inits, names = ([c["name"] for c in spec.get(key, ())] for key in ("initContainers", "containers"))
    default = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    name = container or str(default if default in names else names[0])
    unasked = f"named by {DEFAULT_CONTAINER}" if name == default else "the first container of the manifest"
    chosen = _Candidate(name, name in inits, "unknown", "", "", 0, {}, 0)
    return _target(pod, chosen, None, "named by -c" if container else unasked)
