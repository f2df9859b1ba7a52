"""The failing container as its pod describes it: who it runs as, what it may do, how it last ended."""

from dataclasses import dataclass
from typing import Any

from rescue.model import JsonObject

SIGNALS = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
    9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
    24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
}  # fmt: skip
"""signal(7), the numbers of x86 and arm."""

_GROUPS = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True)
class Container:
    """One container of a pod: its part of the spec and of the status."""

    name: str
    pod: JsonObject

    @property
    def spec(self) -> JsonObject:
        """The container in the spec; empty when the pod has none of this name."""
        return self._named(self.pod.get("spec", {}), _GROUPS)

    @property
    def is_init(self) -> bool:
        """An init container that must end, not a sidecar."""
        inits = [c.get("name") for c in self.pod.get("spec", {}).get("initContainers") or []]
        return self.name in inits and self.spec.get("restartPolicy") != "Always"

    @property
    def status(self) -> JsonObject:
        """The container's status; empty before the kubelet has written one."""
        return status_of(self.pod.get("status", {}), self.name)

    @property
    def last_end(self) -> JsonObject:
        """``terminated`` of the current or the last state, whichever there is."""
        return terminated(self.status)

    @property
    def waiting(self) -> JsonObject:
        """``waiting`` of the current state: reason and message."""
        return dict(self.status.get("state", {}).get("waiting") or {})

    @property
    def user(self) -> int | None:
        """Numeric uid: from the status (Kubernetes 1.31 and later), else from the security context."""
        seen = (self.status.get("user") or {}).get("linux", {}).get("uid")
        return seen if isinstance(seen, int) else self._security("runAsUser")

    @property
    def fs_group(self) -> int | None:
        """The pod's fsGroup."""
        value = (self.pod.get("spec", {}).get("securityContext") or {}).get("fsGroup")
        return value if isinstance(value, int) else None

    @property
    def read_only_root(self) -> bool:
        """``readOnlyRootFilesystem`` is set."""
        return bool(self._security("readOnlyRootFilesystem"))

    @property
    def gains_privileges(self) -> bool:
        """True when a setuid program or file capabilities would work without strace."""
        dropped = (self._security("capabilities") or {}).get("drop") or []
        return self._security("allowPrivilegeEscalation") is not False and "ALL" not in dropped

    @property
    def restart_policy(self) -> str:
        """Of the container where it has its own, else of the pod."""
        return str(self.spec.get("restartPolicy") or self.pod.get("spec", {}).get("restartPolicy") or "Always")

    @property
    def working_directory(self) -> str:
        """``workingDir``, or empty: then it is the image's, which the API does not show."""
        return str(self.spec.get("workingDir") or "")

    def _security(self, key: str) -> Any:
        own = self.spec.get("securityContext") or {}
        pod = self.pod.get("spec", {}).get("securityContext") or {}
        return own[key] if key in own else pod.get(key)

    def _named(self, parent: JsonObject, groups: tuple[str, ...]) -> JsonObject:
        items = [item for group in groups for item in parent.get(group) or []]
        return next((dict(item) for item in items if item.get("name") == self.name), {})


def status_of(status: JsonObject, container: str) -> JsonObject:
    """The status of one container in a ``pod.status``; empty when there is none."""
    groups = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    items = [item for group in groups for item in status.get(group) or []]
    return next((dict(item) for item in items if item.get("name") == container), {})


def terminated(status: JsonObject) -> JsonObject:
    """How a container ended: its current state if it has ended, else its last state."""
    states = [status.get("state") or {}, status.get("lastState") or {}]
    return next((dict(state["terminated"]) for state in states if state.get("terminated")), {})
