"""Pods that no rescue can explain, and whose status already says why: refused in good words.  Pure."""

import re

from rescue.errors import ExitCode, RescueError
from rescue.marks import SOURCE_POD, why_not_ours
from rescue.model import JsonObject, Target
from rescue.scheduling import advice
from rescue.unstarted import STATE, scheduling, statuses, waits_for_claim

# Pods that the cluster ended, whatever their program did; {node} and {pod} are filled in.
_ENDED_BY_CLUSTER = {
    "Evicted": ("was evicted", "if it asks for less than it uses, raise its requests; else: kubectl describe {node}"),
    "DeadlineExceeded": ("reached its activeDeadlineSeconds", "raise the deadline, or find what takes so long"),
    "Preempting": ("was preempted", "a pod of higher priority took its place"),
    "Terminated": ("was ended because its node shut down", "its controller starts it elsewhere"),
    "Shutdown": ("was ended because its node shut down", "its controller starts it elsewhere"),
    "NodeShutdown": ("was rejected because its node was shutting down", "its controller starts it elsewhere"),
    "NodeLost": ("was lost with its node", "see: kubectl describe {node}"),
}
# A container went over a limit of disk space, which is the pod's own matter.
_OVER_ITS_LIMIT = re.compile(r"exceed(?:s|ed) (?:its local|the (?:total )?limit)", re.I)
_SPACE_HINT = "raise the limit that it names (ephemeral-storage, or the volume's sizeLimit), or let it write less"

_OTHER_HINT = "there is no crash to replay; make room, or change what it asks for"


def refusal(message: str, hint: str) -> RescueError:
    """An error with the exit code for what rescue does not do."""
    return RescueError(message, hint, ExitCode.REFUSED)


def refuse_unfit(pod: JsonObject) -> None:
    """Raise RescueError (refused) for a pod of another system than Linux, and for one that rescue made itself."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    selector = spec.get("nodeSelector") or {}
    if (spec.get("os") or {}).get("name") == "windows" or selector.get("kubernetes.io/os") == "windows":
        raise refusal(f"pod {name!r} is a Windows pod; strace is a Linux tool", f"kubectl describe pod {name}")
    if not why_not_ours(pod):
        source = pod["metadata"]["annotations"][SOURCE_POD]
        raise refusal(f"pod {name!r} is itself a clone, and runs no program of its own", f"try: rescue pod {source}")


def refuse_unusable(pod: JsonObject, shortage: str = "") -> None:
    """Raise RescueError (refused) for a pod that no replay can explain: unfit, ended by the cluster, unscheduled.

    ``shortage`` says by how much the pod does not fit, as far as somebody looked.
    """
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    refuse_unfit(pod)
    if status.get("reason") in _ENDED_BY_CLUSTER:
        raise _ended(pod, status)
    if status.get("phase") == "Failed" and not statuses(pod):
        why = f"{status.get('reason', '')}: {status.get('message', '')}"
        raise refusal(f"pod {name!r} was rejected by its node: {why}", "there is no crash to replay; mend what it says")
    if scheduling(pod) and not waits_for_claim(pod):
        raise _unscheduled(pod, scheduling(pod), shortage)


def refuse_unstarted(target: Target) -> None:
    """Raise RescueError (refused) where a clone is wanted for a container that cannot be started in a clone either."""
    if target.state == STATE:
        raise refusal(
            f"no clone would be made: container {target.container!r} was never started ({target.reason})",
            f"to see why: rescue pod {target.pod} -n {target.namespace}",
        )


def _ended(pod: JsonObject, status: JsonObject) -> RescueError:
    what, hint = _ENDED_BY_CLUSTER[status["reason"]]
    message = str(status.get("message", "")).strip()
    if _OVER_ITS_LIMIT.search(message):
        hint = _SPACE_HINT
    node = f"node {pod['spec'].get('nodeName', '')}".strip()
    return refusal(f"pod {pod['metadata']['name']!r} {what}{': ' if message else ''}{message}", hint.format(node=node))


def _unscheduled(pod: JsonObject, condition: JsonObject, shortage: str) -> RescueError:
    name = pod["metadata"]["name"]
    if condition.get("reason") == "SchedulingGated":
        gates = ", ".join(gate["name"] for gate in pod["spec"].get("schedulingGates") or ())
        return refusal(
            f"pod {name!r} is not scheduled before its gates are removed: {gates}",
            "whoever set a gate removes it; there is no crash to replay",
        )
    message = str(condition.get("message") or condition.get("reason", ""))
    hint = advice(message).for_pod or _OTHER_HINT
    return refusal(f"pod {name!r} was never scheduled: {message}{' ' if shortage else ''}{shortage}", hint)
