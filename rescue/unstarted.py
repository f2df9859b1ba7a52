"""Containers that were never started: why a kubelet says so, and what the words of the status mean.  Pure."""

import re
from datetime import datetime

from rescue.model import JsonObject

STATE = "never started"  # the state of a Target for which no clone is made

# Reasons of a waiting container that nothing but a change heals: its image, and its configuration.
# (kubelet: pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_container.go)
IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError"})
NEVER_STARTED = IMAGE_REASONS | CONFIG_REASONS

# The pod has a node, and the kubelet still prepares what all containers stand on: volumes, network.
PREPARING = ("ContainerCreating", "PodInitializing")
UNSCHEDULABLE = "Unschedulable"
# What kube-scheduler says when a claim, not a lack of room, keeps the pod from a node.
_CLAIM = re.compile(r"persistentvolumeclaim|persistent volumes to bind|\bpvc\(s\)|ephemeral volume controller", re.I)


def statuses(pod: JsonObject) -> list[JsonObject]:
    """The status of every init container, then of every container."""
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def refused(state: JsonObject, ran: bool) -> bool:
    """Whether a container's state says that it cannot be started; ``ran``: it has run before.

    A clone has the same configuration, so it would be refused as well; the image of one that ran may still be there.
    """
    reason = (state.get("waiting") or {}).get("reason")
    return reason in CONFIG_REASONS or (reason in IMAGE_REASONS and not ran)


def preparing(pod: JsonObject) -> bool:
    """Whether the pod has a node, and no container of it was ever started or tried: volumes and network come first."""
    entries = statuses(pod)
    return bool((pod.get("spec") or {}).get("nodeName") and entries) and all(map(_untouched, entries))


def _untouched(entry: JsonObject) -> bool:
    state, last = entry.get("state") or {}, entry.get("lastState") or {}
    return set(state) <= {"waiting"} and not last and (state.get("waiting") or {}).get("reason") in (None, *PREPARING)


def scheduling(pod: JsonObject) -> JsonObject:
    """The condition that says why the pod has no node; empty when it has one, or nobody looked yet."""
    found = (pod.get("status") or {}).get("conditions") or ()
    return next((c for c in found if c.get("type") == "PodScheduled" and c.get("status") == "False"), {})


def waits_for_claim(pod: JsonObject) -> bool:
    """Whether a PersistentVolumeClaim keeps the pod from being scheduled."""
    return bool(_CLAIM.search(str(scheduling(pod).get("message", ""))))


def never_started(pod: JsonObject, container: str) -> bool:
    """Whether this container has no crash, because it could not be started at all."""
    if waits_for_claim(pod) or preparing(pod):
        return True
    entry = next((entry for entry in statuses(pod) if entry.get("name") == container), {})
    state, last = entry.get("state") or {}, entry.get("lastState") or {}
    return refused(state, "terminated" in last)


def held_up(pod: JsonObject, now: datetime | None) -> str:
    """Which running init container keeps the later ones waiting, and for how long; empty when none does."""
    sidecars = [c["name"] for c in pod["spec"].get("initContainers", ()) if c.get("restartPolicy") == "Always"]
    for entry in (pod.get("status") or {}).get("initContainerStatuses") or ():
        running, sidecar = (entry.get("state") or {}).get("running"), entry["name"] in sidecars
        if running is None or (sidecar and entry.get("started")):
            continue
        what = "sidecar" if sidecar else "init container"
        need = "its startup probe passes" if sidecar else "it ends"
        time = _since(str(running.get("startedAt", "")), now)
        return f"; {what} {entry['name']!r} has been running {time}, and the containers after it wait until {need}"
    return ""


def _since(start: str, now: datetime | None) -> str:
    """``for 12 min``, or ``since 2026-…`` without a clock."""
    if now is None or not start:
        return f"since {start or 'an unknown time'}"
    seconds = max(0, int((now - datetime.fromisoformat(start)).total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    return f"for {seconds} s" if minutes < 2 else f"for {minutes} min" if hours < 2 else f"for {hours} h"
