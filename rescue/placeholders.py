"""A value for every name that a rule may use: from the pod, its target, and what was chosen.  Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rescue import claims, identity, quantity, remaining
from rescue.errors import ExitCode, RescueError
from rescue.image import pinned_image
from rescue.model import Command, JsonObject, Target
from rescue.options import Wishes

NAME_LIMIT = 63  # A pod's name is its hostname, a DNS label (RFC 1123).
SUFFIX_LENGTH = 5
MANAGED_BY = "app.kubernetes.io/managed-by"  # Not taken away but overwritten; rescue.adoption looks who selects by it.
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # kube-apiserver: plugin/pkg/admission/serviceaccount
_MIRROR = "kubernetes.io/config.mirror"  # The kubelet's mark of a static pod (Kubernetes: Well-Known Annotations).
_COMMON_RESOURCES = {"cpu", "memory", "ephemeral-storage"}
# Volumes with data of others whose source has no readOnly of its own.
_DISKS = ("flocker", "photonPersistentDisk", "vsphereVolume")
# Read by the webhooks of meshes and clouds when a pod is created; no controller selects pods by them.
_FOR_WEBHOOKS = {
    "sidecar.istio.io/inject",
    "istio.io/rev",
    "istio.io/dataplane-mode",
    "kuma.io/sidecar-injection",
    "azure.workload.identity/use",
}


@dataclass(frozen=True)
class Choices:
    """What a plan depends on besides the pod and the rules.

    ``quarantine`` holds the label keys that some controller selects by; None when they are not known, then all go.
    ``selectors`` holds the selectors of these controllers, as far as they are known, by kind and name.
    ``claims`` holds the PersistentVolumeClaims that the wishes need, by name. A ``scout`` only shows its command.
    """

    suffix: str
    expires: str
    user: str
    toolkit_image: str
    ttl_seconds: int
    quarantine: frozenset[str] | None
    selectors: Mapping[str, JsonObject] = field(default_factory=dict)
    wishes: Wishes = field(default_factory=Wishes)
    claims: Mapping[str, JsonObject] = field(default_factory=dict)
    scout: bool = False
    script: str = ""


def clone_name(pod: str, suffix: str) -> str:
    """``rescue-<pod>-<suffix>``, at most 63 characters, and never ``<set>-<ordinal>``."""
    room = NAME_LIMIT - len("rescue--") - SUFFIX_LENGTH
    middle = pod[:room].replace(".", "-").strip("-")
    return f"rescue-{middle}-{suffix}"


def containers(pod: JsonObject) -> list[JsonObject]:
    """Every container and init container."""
    spec = pod["spec"]
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def find_container(pod: JsonObject, name: str) -> JsonObject:
    """The container or init container of that name; raises RescueError (usage) when there is none."""
    for container in containers(pod):
        if container["name"] == name:
            return dict(container)
    names = ", ".join(container["name"] for container in containers(pod))
    raise RescueError(f"the pod has no container {name!r}", f"it has: {names}", ExitCode.USAGE)


def target_image(pod: JsonObject, container: JsonObject, wishes: Wishes) -> str:
    """The image that the clone of a container runs: the user's, else the pinned one."""
    return dict(wishes.images).get(container["name"]) or pinned_image(pod, container)


def values(pod: JsonObject, target: Target, command: Command, choices: Choices) -> JsonObject:
    """A value for every name of ``rules.PLACEHOLDERS``.

    Raises RescueError for wishes that do not fit the pod (usage), or that could not come true (refused).
    """
    return {
        **_of_claims(pod, choices),
        **_of_wishes(pod, target, choices.wishes),
        **_of_clone(pod, target, choices),
        **_of_source(pod, choices),
        **_of_target(pod, target, choices.wishes),
        "scout.script": choices.script,
        "source.command": list(command.argv),
        "toolkit.image": choices.toolkit_image,
    }


def _of_clone(pod: JsonObject, target: Target, choices: Choices) -> JsonObject:
    labels, wishes = set(pod["metadata"].get("labels") or {}), choices.wishes
    selected = labels - _FOR_WEBHOOKS if choices.quarantine is None else labels & choices.quarantine
    left = remaining.left_out(pod, target, wishes, alone=choices.scout)
    finished = [] if target.is_init else remaining.finished(pod, target)
    gone = remaining.gone(pod, target, [*left, *finished])
    return {
        "clone.expires": choices.expires,
        "clone.finished": _alternatives(finished),
        "clone.isAlone": wishes.only_target or choices.scout,
        "clone.isScout": choices.scout,
        "clone.gone": _alternatives(gone),
        "clone.left": _alternatives(left),
        "clone.name": clone_name(pod["metadata"]["name"], choices.suffix),
        "clone.quarantine": sorted(selected - {MANAGED_BY}),
        "clone.strayProfiles": remaining.profiles(pod, gone),
        "clone.ttlSeconds": choices.ttl_seconds,
    }


def _of_source(pod: JsonObject, choices: Choices) -> JsonObject:
    metadata, keeps_identity = pod["metadata"], choices.wishes.identity
    return {
        "source.devices": _devices(pod),
        "source.disks": _alternatives(_volumes_of(pod, *_DISKS)),
        "source.fieldValues": identity.field_values(pod, containers(pod)) if keeps_identity else [],
        "source.isAdmitted": bool(metadata.get("uid")) or _has_token(pod),
        "source.hostPaths": _alternatives(_volumes_of(pod, "hostPath")),
        "source.hostname": identity.hostname(pod) if keeps_identity else None,
        "source.isStatic": _MIRROR in (metadata.get("annotations") or {}),
        "source.labels": json.dumps(metadata.get("labels") or {}, sort_keys=True),
        "source.pod": metadata["name"],
        "source.uid": metadata.get("uid", ""),
        "source.user": choices.user,
    }


def _of_target(pod: JsonObject, target: Target, wishes: Wishes) -> JsonObject:
    container = find_container(pod, target.container)
    return {
        "source.container": target.container,
        "target.asContainers": [container],
        "target.container": target.container,
        "target.earlierInits": remaining.earlier_inits(pod, target.container),
        "target.image": target_image(pod, container, wishes),
        "target.isInit": target.is_init,
    }


def _alternatives(names: Any) -> str:
    """A regular expression for any of these DNS labels, which need no escape in it."""
    return "|".join(names)


def _volumes_of(pod: JsonObject, *sources: str) -> list[str]:
    return [volume["name"] for volume in pod["spec"].get("volumes") or () if volume.keys() & set(sources)]


def _of_claims(pod: JsonObject, choices: Choices) -> JsonObject:
    chosen, known = claims.modes(pod, choices.wishes), claims.names(pod)
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    shared = [name for name, mode in chosen.items() if mode in (claims.KEEP, claims.READ_ONLY)]
    cloned = [name for name, mode in chosen.items() if mode == claims.CLONE]
    node = claims.node(pod, choices.wishes, claims.need_the_node(pod, chosen, choices.claims))
    return {
        "claims.empty": _alternatives(name for name, mode in chosen.items() if mode == claims.EMPTY),
        "claims.readOnly": _alternatives(name for name, mode in chosen.items() if mode == claims.READ_ONLY),
        "claims.cloned": [
            {"volume": name, "template": claims.cloned_template(known[name], choices.claims)} for name in cloned
        ],
        "claims.shared": [
            {"volume": name, "source": claims.shared_source(volumes[name], pod, chosen[name])} for name in shared
        ],
        "source.node": [{"name": node}] if node else [],
    }


def _of_wishes(pod: JsonObject, target: Target, wishes: Wishes) -> JsonObject:
    _check_names(pod, target, wishes)
    return {
        "user.anyNode": wishes.same_node is False,
        "user.changesResources": wishes.minimal_requests or wishes.memory is not None,
        "user.env": [{"name": name, "value": value} for name, value in wishes.env],
        "user.images": [{"container": name, "image": image} for name, image in wishes.images],
        "user.lessMemory": _less_memory(pod, target, wishes),
        "user.memory": [{"limit": wishes.memory}] if wishes.memory else [],
        "user.minimalRequests": wishes.minimal_requests,
        "user.ownIdentity": not wishes.identity,
        "user.runAs": [] if wishes.run_as is None else [{"uid": wishes.run_as, "nonRoot": wishes.run_as != 0}],
        "user.unset": [{"name": name} for name in wishes.unset],
    }


def _less_memory(pod: JsonObject, target: Target, wishes: Wishes) -> list[JsonObject]:
    """The wished limit, where the container asks for more than that."""
    requests = (find_container(pod, target.container).get("resources") or {}).get("requests") or {}
    if wishes.memory is None or quantity.parse(requests.get("memory", 0)) <= quantity.parse(wishes.memory):
        return []
    return [{"limit": wishes.memory}]


def _check_names(pod: JsonObject, target: Target, wishes: Wishes) -> None:
    """Raise RescueError (usage) for a wish about something that is not there: it would silently do nothing."""
    for name in (*wishes.without, *(name for name, _ in wishes.images)):
        find_container(pod, name)
    if target.container in wishes.without:
        raise RescueError(f"{target.container!r} is the container to replay", "leave out another", ExitCode.USAGE)
    env = {entry["name"] for entry in find_container(pod, target.container).get("env") or ()}
    for name in wishes.unset:
        if name not in env:
            has = ", ".join(sorted(env)) or "nothing"
            raise RescueError(
                f"the env of container {target.container!r} has no {name!r} to take away",
                f"it has: {has}; what envFrom brings can only be overwritten: --env {name}=",
                ExitCode.USAGE,
            )


def _devices(pod: JsonObject) -> list[str]:
    """Resources that requests must equal limits for: devices and huge pages."""
    asked: set[str] = set()
    for container in containers(pod):
        asked.update((container.get("resources") or {}).get("limits") or ())
    return sorted(asked - _COMMON_RESOURCES)


def _has_token(pod: JsonObject) -> bool:
    mounts = (mount for container in containers(pod) for mount in container.get("volumeMounts") or ())
    return any(mount.get("mountPath") == TOKEN_PATH for mount in mounts)
