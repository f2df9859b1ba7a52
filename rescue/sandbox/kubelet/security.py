"""securityContext and resources as podman options; pure."""

from collections.abc import Sequence

from rescue.sandbox.kubelet import quantities
from rescue.sandbox.kubelet.env import ConfigError
from rescue.sandbox.kubelet.status import pod_key
from rescue.sandbox.store import Object

# containerd's default set (oci/spec.go); podman's lacks the last three.
DEFAULT_CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
    "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "MKNOD", "NET_RAW", "AUDIT_WRITE",
)  # fmt: skip


def effective(pod: Object, container: Object) -> Object:
    """The container's securityContext over the pod's, field by field."""
    fields = ("runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile")
    of_pod = pod["spec"].get("securityContext") or {}
    inherited = {field: of_pod[field] for field in fields if of_pod.get(field) is not None}
    own = container.get("securityContext") or {}
    return inherited | {field: value for field, value in own.items() if value is not None}


def check_nonroot(pod: Object, container: Object, image_user: str) -> None:
    """ConfigError when runAsNonRoot is set and the user is, or may be, root."""
    context = effective(pod, container)
    if not context.get("runAsNonRoot"):
        return
    where = f'(pod: "{pod_key(pod)}", container: {container["name"]})'
    user = image_user.split(":")[0]
    if context.get("runAsUser") is not None:
        if context["runAsUser"] == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
    elif user in ("", "0"):
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")
    elif not user.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({user}),"
            f" cannot verify user is non-root {where}"
        )


def security_options(pod: Object, container: Object, image_user: str) -> list[str]:
    """Options for user, groups, capabilities, privileges, seccomp and a read-only root."""
    context = effective(pod, container)
    options = _user(context) + _groups(pod)
    if context.get("privileged"):
        options += ["--privileged"]
    else:
        options += _capabilities(context.get("capabilities") or {}, _is_root(context, image_user))
        options += _seccomp(context.get("seccompProfile") or {})
        options += ["--security-opt", "label=disable"]
    if context.get("allowPrivilegeEscalation") is False:
        options += ["--security-opt", "no-new-privileges"]
    if context.get("readOnlyRootFilesystem"):
        options += ["--read-only", "--read-only-tmpfs=false"]
    return options


def resource_options(container: Object) -> list[str]:
    """Options for memory and processor: limits hard, requests as shares."""
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    options: list[str] = []
    if "memory" in limits:
        memory = str(quantities.whole(limits["memory"]))
        options += ["--memory", memory, "--memory-swap", memory]
    if "cpu" in limits:
        # The kernel takes no quota below 1 ms in 100, nor does the kubelet ask for one.
        options += ["--cpus", str(max(10, quantities.milli(limits["cpu"])) / 1000)]
    # MilliCPUToShares in the kubelet: 1024 shares a core, at least 2.
    shares = max(2, quantities.milli(requests["cpu"]) * 1024 // 1000) if "cpu" in requests else 2
    return [*options, "--cpu-shares", str(shares)]


def _user(context: Object) -> list[str]:
    user, group = context.get("runAsUser"), context.get("runAsGroup")
    if user is None:
        return []
    return ["--user", f"{user}:{group}" if group is not None else str(user)]


def _groups(pod: Object) -> list[str]:
    context = pod["spec"].get("securityContext") or {}
    groups = list(context.get("supplementalGroups") or [])
    if context.get("fsGroup") is not None:
        groups.append(context["fsGroup"])
    return [part for group in groups for part in ("--group-add", str(group))]


def _is_root(context: Object, image_user: str) -> bool:
    if context.get("runAsUser") is not None:
        return bool(context["runAsUser"] == 0)
    return image_user.split(":")[0] in ("", "0", "root")


def _capabilities(wanted: Object, root: bool) -> list[str]:
    drop = _names(wanted.get("drop") or [])
    if not root:
        # podman makes added capabilities ambient for other users; Kubernetes lets them go at execve.
        return [part for name in drop for part in ("--cap-drop", name)]
    add = _names(wanted.get("add") or [])
    kept = [] if "ALL" in drop else [name for name in DEFAULT_CAPABILITIES if name not in drop]
    granted = ["ALL"] if "ALL" in add else [*kept, *(name for name in add if name not in kept)]
    added = [part for name in granted for part in ("--cap-add", name)]
    return (["--cap-drop", "ALL"] if granted != ["ALL"] else []) + added


def _names(names: Sequence[str]) -> list[str]:
    return [name.upper().removeprefix("CAP_") for name in names]


def _seccomp(profile: Object) -> list[str]:
    # Unconfined is what Kubernetes does when nothing is said; without the option podman filters.
    if profile.get("type", "Unconfined") == "Unconfined":
        return ["--security-opt", "seccomp=unconfined"]
    if profile["type"] == "Localhost":
        return ["--security-opt", f"seccomp=/var/lib/kubelet/seccomp/{profile['localhostProfile']}"]
    return []
