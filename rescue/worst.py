"""The worst of several pods, as the same ranking finds the worst container of one.  Pure."""

from collections.abc import Sequence

from rescue.errors import RescueError
from rescue.model import JsonObject, Target
from rescue.triage import badness, choose_target

Judged = tuple[JsonObject, Target | RescueError]
_PHASES = ("Pending", "Running")  # What keeps a pod from running tells more; one that has ended was replaced.


def worst_first(pods: Sequence[JsonObject], container: str | None) -> list[Judged]:
    """The pods, each with its target or the reason why it cannot be rescued; the newest first among equals.

    Those that can be rescued come first, those that are being deleted last among these: they will not be there long.
    """
    newest = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
    return sorted((_judge(pod, container) for pod in newest), key=_key)


def _judge(pod: JsonObject, container: str | None) -> Judged:
    try:
        return pod, choose_target(pod, container, None)
    except RescueError as error:
        return pod, error


def _key(judged: Judged) -> tuple[int, ...]:
    pod, target = judged
    if isinstance(target, Target):
        leaving = "deletionTimestamp" in pod["metadata"]
        return (0, leaving, *badness(target.state, target.exit_code, target.restarts))
    phase = (pod.get("status") or {}).get("phase", "Pending")
    return (1, _PHASES.index(phase) if phase in _PHASES else len(_PHASES))
