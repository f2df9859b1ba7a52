"""Which containers of a pod its clone keeps, and what names one that it does not.  Pure."""

from rescue.model import JsonObject, Target
from rescue.options import Wishes

# Kubernetes refuses a pod with a profile for a container that it does not have.
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def left_out(pod: JsonObject, target: Target, wishes: Wishes, alone: bool) -> list[str]:
    """Names of the containers that the user, or ``alone`` a scout, wants left out."""
    spec = pod["spec"]
    left = list(wishes.without)
    for container in spec.get("containers") or ():
        if (alone or wishes.only_target) and container["name"] != target.container:
            left.append(container["name"])
    for container in spec.get("initContainers") or ():
        sidecar = container.get("restartPolicy") == "Always"
        if container["name"] != target.container and (alone or (wishes.only_target and sidecar)):
            left.append(container["name"])
    return left


def finished(pod: JsonObject, target: Target) -> list[str]:
    """Names of the other containers that the pod's restart policy would not start again."""
    policy, ended = pod["spec"].get("restartPolicy", "Always"), []
    for entry in (pod.get("status") or {}).get("containerStatuses") or ():
        terminated = (entry.get("state") or {}).get("terminated")
        over = policy == "Never" or (policy == "OnFailure" and terminated and terminated.get("exitCode") == 0)
        if terminated and over and entry["name"] != target.container:
            ended.append(entry["name"])
    return ended


def earlier_inits(pod: JsonObject, name: str) -> list[JsonObject]:
    """The init containers before the one of that name."""
    earlier: list[JsonObject] = []
    for container in pod["spec"].get("initContainers") or ():
        if container["name"] == name:
            break
        earlier.append(container)
    return earlier


def gone(pod: JsonObject, target: Target, left: list[str]) -> list[str]:
    """Names of all containers that the clone has not: those left out, and all after a target that is an init one."""
    spec = pod["spec"]
    inits = [container["name"] for container in spec.get("initContainers") or ()]
    mains = [container["name"] for container in spec.get("containers") or ()]
    debuggers = [container["name"] for container in spec.get("ephemeralContainers") or ()]
    before = [container["name"] for container in earlier_inits(pod, target.container)]
    kept = [*before, target.container] if target.is_init else [*inits, *mains]
    return [name for name in [*inits, *mains, *debuggers] if name not in kept or name in left]


def profiles(pod: JsonObject, names: list[str]) -> list[str]:
    """The annotations that give one of these containers an AppArmor profile."""
    annotations = pod["metadata"].get("annotations") or {}
    return [key for key in annotations if key.startswith(_APPARMOR) and key.removeprefix(_APPARMOR) in names]
