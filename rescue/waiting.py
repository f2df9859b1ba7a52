"""What a starting clone waits for, and whether waiting still makes sense.  Pure."""

from dataclasses import dataclass

from rescue.model import JsonObject
from rescue.scheduling import advice
from rescue.unstarted import NEVER_STARTED, scheduling, statuses

TOOLKIT, KEEPER = "rescue-toolkit", "rescue-keeper"

# Reasons to give up. ErrImagePull is left out: the kubelet tries again, then says ImagePullBackOff.
_FINAL = (NEVER_STARTED - {"ErrImagePull"}) | {"CrashLoopBackOff"}
# Of these, the ones that a kubelet also gives when its own cache or the container runtime is slow for a moment.
_MAY_HEAL = {"CreateContainerConfigError", "CreateContainerError"}

_TOOLKIT_HINT = "give an image with a static busybox that the cluster can pull: --toolkit-image IMAGE"
_IMAGE_HINT = "the clone's node has to pull it: is it still in its registry? see: kubectl describe pod, with --keep"
# By the reason of a container of the pod's own; {clone} and {name} are filled in.
_HINTS = {
    "CrashLoopBackOff": "leave it out with --without {name}; or see why, with --keep: kubectl logs {clone} -c {name}",
    "ErrImageNeverPull": _IMAGE_HINT,
    "ImagePullBackOff": _IMAGE_HINT,
}
# Those of the target, which cannot be left out: a runtime says of a memory limit that it needs more itself.
_MEMORY_HINT = "the container runtime itself needs more to start it: give more with --memory"
_TARGET_HINT = "see why, with --keep: kubectl describe pod {clone}"
_OTHER_HINT = "run it again with --keep, then: kubectl describe pod {clone}"


@dataclass(frozen=True)
class Progress:
    """How far a clone has come: ``reasons`` for people, ``failure`` and ``hint`` when it will never run."""

    running: bool
    reasons: tuple[str, ...]
    failure: str = ""
    hint: str = ""
    may_heal: bool = False


def _reason(entry: JsonObject) -> str:
    """Why one container is not running yet; empty when it runs or has ended well."""
    state = entry.get("state") or {}
    waiting, terminated = state.get("waiting"), state.get("terminated")
    if waiting and waiting.get("reason") not in (None, "PodInitializing"):
        message = waiting.get("message", "")
        return f"{entry['name']}: {waiting['reason']}{': ' + message if message else ''}"
    if terminated and terminated.get("exitCode"):
        return f"{entry['name']}: {terminated.get('reason', 'terminated')}, exit code {terminated['exitCode']}"
    return ""


def _unscheduled(pod: JsonObject) -> str:
    """Why the clone has no node, and what helps; empty when it has one."""
    condition = scheduling(pod)
    message = str(condition.get("message", condition.get("reason", "")))
    helps = advice(message).for_clone
    return f"not scheduled: {message}{f' ({helps})' if helps else ''}" if condition else ""


def why_ended(pod: JsonObject) -> str | None:
    """What the cluster says of a pod that has ended, which may be nothing; None while it has not."""
    status = pod.get("status") or {}
    if status.get("phase") not in ("Failed", "Succeeded"):
        return None
    return f"{status.get('reason', '')} {status.get('message', '')}".strip()


def _waiting(entry: JsonObject) -> JsonObject:
    waiting: JsonObject = (entry.get("state") or {}).get("waiting") or {}
    return waiting


def _hint(name: str, target: str, reason: str, detail: str) -> str:
    if name in (TOOLKIT, KEEPER):
        return _TOOLKIT_HINT
    if name == target and "memory limit" in detail:
        return _MEMORY_HINT
    if name == target and reason == "CrashLoopBackOff":
        return _TARGET_HINT
    return _HINTS.get(reason, _OTHER_HINT)


def _failure(entry: JsonObject, pod: JsonObject, target: str) -> tuple[str, str]:
    """Message and hint when this container will never run; empty strings when it may."""
    waiting = _waiting(entry)
    name, reason = entry["name"], waiting.get("reason")
    if reason not in _FINAL:
        return "", ""
    last = (entry.get("lastState") or {}).get("terminated") or {}
    ended = f"it ended with exit code {last['exitCode']}" if "exitCode" in last else ""
    detail = last.get("message") or ended or waiting.get("message", "")
    return (
        f"container {name!r} of the clone does not start ({reason}): {detail}",
        _hint(name, target, reason, detail).format(clone=pod["metadata"]["name"], name=name),
    )


def _unfinished(entry: JsonObject, pod: JsonObject) -> str:
    """What an init container of the pod's own that still runs keeps waiting; empty for a sidecar, which runs on."""
    inits = [c["name"] for c in pod["spec"].get("initContainers", ()) if c.get("restartPolicy") != "Always"]
    waits = "running" in (entry.get("state") or {}) and entry["name"] in inits and entry["name"] != TOOLKIT
    return f"{entry['name']}: this init container has not ended" if waits else ""


def progress(pod: JsonObject, target: str) -> Progress:
    """Judge one state of the clone; the target and the keeper must run, and every init container must end well."""
    entries, why = statuses(pod), why_ended(pod)
    needed = {target, KEEPER, *(c["name"] for c in pod["spec"].get("initContainers", ()))}
    found = [_unscheduled(pod), *(_reason(entry) or _unfinished(entry, pod) for entry in entries)]
    reasons = tuple(reason for reason in found if reason)
    if why is not None:
        return Progress(False, reasons, f"the clone ended before the replay: {why}", "see: kubectl get events")
    for entry in entries:
        failure, hint = _failure(entry, pod, target) if entry["name"] in needed else ("", "")
        if failure:
            return Progress(False, reasons, failure, hint, _waiting(entry).get("reason") in _MAY_HEAL)
    running = {entry["name"] for entry in entries if "running" in (entry.get("state") or {})}
    return Progress({target, KEEPER} <= running, reasons)
