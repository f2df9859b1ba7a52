"""Which log a request means, and the refusals that the API shows for the others; pure."""

from rescue.sandbox.kubelet.observed import Container, Run
from rescue.sandbox.store import Object

# The kubelet hides the waiting reason of these behind one sentence.
_PULLING = ("ErrImagePull", "ImagePullBackOff")


class LogError(Exception):
    """A refusal as an API Status: ``code``, ``reason``, ``message``."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message


def log_of(pod: Object, name: str, container: Container | None, *, previous: bool) -> Run | None:
    """The run whose log is meant; None when the pod has not come to the node yet; LogError."""
    spec, pod_name = pod["spec"], pod["metadata"]["name"]
    lists = ("initContainers", "containers", "ephemeralContainers")
    if name not in {entry["name"] for field in lists for entry in spec.get(field, [])}:
        raise LogError(400, "BadRequest", f"container {name} is not valid for pod {pod_name}")
    if container is None:
        return None
    if previous:
        return _previous(container, pod_name)
    if container.run is None or (container.waiting and not container.run.exit):
        raise LogError(400, "BadRequest", _waits(container, pod))
    return container.run


def _previous(container: Container, pod: str) -> Run:
    # A container in back-off has its last run as lastState.
    run = container.run if container.waiting else container.previous
    if run is None or run.exit is None:
        message = f'previous terminated container "{container.name}" in pod "{pod}" not found'
        raise LogError(400, "BadRequest", message)
    return run


def _waits(container: Container, pod: Object) -> str:
    initializing = bool(pod["spec"].get("initContainers"))
    reason = container.waiting.reason if container.waiting else ""
    reason = reason or ("PodInitializing" if initializing else "ContainerCreating")
    why = "trying and failing to pull image" if reason in _PULLING else reason
    return f'container "{container.name}" in pod "{pod["metadata"]["name"]}" is waiting to start: {why}'
