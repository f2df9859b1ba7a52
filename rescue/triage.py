"""Which container of a pod fails, how, and whether a replay can say why.  Pure: a pod's JSON in, a Target out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject, Owner, Target

# A container that never started for one of these reasons cannot be replayed: there is no crash, and the message
# of its status is the cause.  (kubelet: pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_container.go)
NEVER_STARTED = {
    "ErrImagePull": "its image cannot be pulled",
    "ImagePullBackOff": "its image cannot be pulled",
    "ErrImageNeverPull": "its image is not on the node, and imagePullPolicy is Never",
    "InvalidImageName": "its image name is malformed",
    "ImageInspectError": "its image cannot be read on the node",
    "CreateContainerConfigError": "its configuration refers to something that is missing or forbidden",
    "CreateContainerError": "the container runtime refuses to create it",
}

# Pods that the cluster ended, whatever their program did.
ENDED_BY_CLUSTER = {
    "Evicted": ("was evicted", "its node lacked a resource; see: kubectl describe node"),
    "DeadlineExceeded": ("reached its activeDeadlineSeconds", "raise the deadline, or find what takes so long"),
    "Preempting": ("was preempted", "a pod of higher priority took its place"),
    "NodeShutdown": ("ended when its node shut down", "its controller starts it elsewhere"),
}

# Worst first: a container in one of these states is chosen before one in a later state.
STATES = ("CrashLoopBackOff", "terminated", "restarted", "never started", "waiting", "running")
FAILING = STATES[:4]
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
        if reason in NEVER_STARTED and not last:
            return "never started", reason, waiting.get("message", "")
        name = "CrashLoopBackOff" if reason in _CRASHING else "restarted" if last else "waiting"
        return name, reason, waiting.get("message", "")
    if terminated:
        ended_well = terminated.get("exitCode") == 0 and not restarts_on_success
        return ("waiting" if ended_well else "terminated"), terminated.get("reason", ""), terminated.get("message", "")
    if "running" in state:
        return ("restarted" if last else "running"), last.get("reason", ""), last.get("message", "")
    return "waiting", "", ""


def _candidates(pod: JsonObject) -> list[_Candidate]:
    status = pod.get("status", {})
    always = pod["spec"].get("restartPolicy", "Always") == "Always"
    found: list[_Candidate] = []
    for key, is_init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for entry in status.get(key) or ():
            state, reason, message = _state(entry, always and not is_init)
            last = _last_terminated(entry)
            restarts = entry.get("restartCount", 0)
            found.append(_Candidate(entry["name"], is_init, state, reason, message, restarts, last, len(found)))
    return found


def _rank(candidate: _Candidate) -> tuple[int, bool, int, int]:
    """Sort key, worst first: state, a bad exit before a good one, more restarts, then the pod's own order."""
    return (
        STATES.index(candidate.state),
        candidate.last.get("exitCode") == 0,
        -candidate.restarts,
        candidate.order,
    )


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


def refuse_unusable(pod: JsonObject) -> None:
    """Raise RescueError (refused) for a pod that no replay can explain: Windows, evicted, never scheduled."""
    spec, status, name = pod["spec"], pod.get("status", {}), pod["metadata"]["name"]
    selector = spec.get("nodeSelector") or {}
    if (spec.get("os") or {}).get("name") == "windows" or selector.get("kubernetes.io/os") == "windows":
        raise _refusal(f"pod {name!r} is a Windows pod; strace is a Linux tool", f"kubectl describe pod {name}")
    if status.get("reason") in ENDED_BY_CLUSTER:
        what, hint = ENDED_BY_CLUSTER[status["reason"]]
        raise _refusal(f"pod {name!r} {what}: {status.get('message', '')}", hint)
    if status.get("phase") == "Failed" and not _candidates(pod):
        why = f"{status.get('reason', '')}: {status.get('message', '')}"
        raise _refusal(
            f"pod {name!r} was rejected by its node: {why}", "there is no crash to replay; mend what it says"
        )
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            raise _refusal(
                f"pod {name!r} was never scheduled: {condition.get('message', condition.get('reason', ''))}",
                "there is no crash to replay; make room, or change what it asks for",
            )


def _refusal(message: str, hint: str) -> RescueError:
    return RescueError(message, hint, ExitCode.REFUSED)


def choose_target(pod: JsonObject, container: str | None, owner: Owner | None) -> Target:
    """The container to rescue: the named one, else the worst.

    Raises RescueError: usage for a container that the pod has not; refused when nothing fails, or when the
    container never started and its status already says why.
    """
    refuse_unusable(pod)
    name = pod["metadata"]["name"]
    candidates = _candidates(pod)
    _check_name(pod, container)
    considered = [c for c in candidates if container in (None, c.name)]
    failing = sorted((c for c in considered if c.state in FAILING), key=_rank)
    if not failing:
        what = f"container {container!r} of pod {name!r}" if container else f"pod {name!r}"
        raise _refusal(
            f"{what} does not fail: {_describe(considered, pod)}",
            f"nothing was created; look at: kubectl describe pod {name}",
        )
    chosen = failing[0]
    if chosen.state == "never started":
        why = f"{NEVER_STARTED[chosen.reason]}: {chosen.message}"
        raise _refusal(
            f"container {chosen.name!r} never started ({chosen.reason}): {why}",
            f"there is no crash to replay; mend what the message names: kubectl describe pod {name}",
        )
    return _target(pod, chosen, owner, _choice(chosen, failing, container is not None))


def _check_name(pod: JsonObject, container: str | None) -> None:
    spec = pod["spec"]
    names = [c["name"] for c in [*spec.get("initContainers", ()), *spec.get("containers", ())]]
    if container is not None and container not in names:
        raise RescueError(
            f"pod {pod['metadata']['name']!r} has no container {container!r}",
            f"it has: {', '.join(names)}",
            ExitCode.USAGE,
        )


def _describe(candidates: Sequence[_Candidate], pod: JsonObject) -> str:
    if not candidates:
        return f"it is {pod.get('status', {}).get('phase', 'Pending')} and has no container status yet"
    return ", ".join(f"{c.name} is {c.reason or c.state} ({c.restarts} restarts)" for c in candidates)


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
    """The target of a manifest without status: the named container, else the first; raises RescueError (usage)."""
    _check_name(pod, container)
    spec = pod["spec"]
    inits = [c["name"] for c in spec.get("initContainers", ())]
    name = container or spec["containers"][0]["name"]
    chosen = _Candidate(name, name in inits, "unknown", "", "", 0, {}, 0)
    return _target(pod, chosen, None, "named by -c" if container else "the first container of the manifest")


def controller_of(item: JsonObject) -> Owner | None:
    """The object's controlling owner, if it has one."""
    for reference in item["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return Owner(reference["kind"], reference["name"])
    return None


def selector_keys(controllers: Sequence[JsonObject]) -> frozenset[str]:
    """Every label key that the selectors of these controllers use; a bare map is a ReplicationController's."""
    keys: set[str] = set()
    for controller in controllers:
        selector = controller.get("spec", {}).get("selector") or {}
        structured = "matchLabels" in selector or "matchExpressions" in selector
        keys.update((selector.get("matchLabels") or {}) if structured else selector)
        if structured:
            keys.update(entry["key"] for entry in selector.get("matchExpressions") or ())
    return frozenset(keys)
