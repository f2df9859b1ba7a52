"""The phase of a pod, by the rules of the kubelet's ``getPhase`` (pkg/kubelet/kubelet_pods.go); pure."""

from rescue.sandbox.kubelet.observed import Container, Kind, PodView


def phase_of(view: PodView) -> str:
    """Pending, Running, Succeeded or Failed."""
    policy = view.pod["spec"].get("restartPolicy", "Always")
    if view.failure or (policy == "Never" and any(_failed(c) for c in view.of(Kind.INIT))):
        return "Failed"
    apps = view.of(Kind.APP)
    if _initializing(view) or any(_never_ran(container) for container in apps):
        return "Pending"
    if any(container.running for container in apps):
        return "Running"
    return _ended(apps, "Never" if view.removing else policy)


def _ended(apps: list[Container], policy: str) -> str:
    if policy == "Always":
        return "Running"
    if all(c.last_exit is not None and c.last_exit.code == 0 for c in apps):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _initializing(view: PodView) -> bool:
    if any(container.run for container in view.of(Kind.APP)):
        return False
    return any(not c.ready for c in view.of(Kind.INIT)) or any(not c.started for c in view.of(Kind.SIDECAR))


def _failed(container: Container) -> bool:
    return container.run is not None and container.run.exit is not None and container.run.exit.code != 0


def _never_ran(container: Container) -> bool:
    """Waiting for its first run: also with an image or configuration error, not after a failed start."""
    return container.run is None
