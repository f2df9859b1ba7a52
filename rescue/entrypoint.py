"""The command that a container runs, by the ways there are, in their order; a wrong or empty one is never given out."""

from collections.abc import Callable, Sequence

from rescue.errors import ExitCode, RescueError
from rescue.image import full_command, literal, parse, running_digest
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.logins import find_logins
from rescue.model import Command, JsonObject
from rescue.registry import find_config

Scout = Callable[[], Command]

_ARCHITECTURE = "kubernetes.io/arch"


def find(
    cluster: Cluster | None,
    pod: JsonObject,
    container: JsonObject,
    image: str,
    override: Sequence[str],
    scout: Scout | None,
) -> Command:
    """The command of a container of the pod, ready for ``args``.

    ``image`` is what the clone will run (pinned, or the user's own); ``override`` is what the user gave, taken
    as typed; ``cluster`` is None for a manifest without one; ``scout`` watches the container start, and is None
    where nothing may be created.  Raises RescueError (refused) with the reason why each way failed.
    """
    if override:
        return Command(literal(override), "arguments")
    if container.get("command"):
        return Command((*container["command"], *(container.get("args") or ())), "spec")
    reasons: list[str] = []
    try:
        return from_registry(cluster, pod, container, image)
    except RescueError as error:
        reasons.append(f"registry: {error.message}")
    if scout is not None:
        try:
            return scout()
        except RescueError as error:
            reasons.append(f"scout: {error.message}")
    raise _refusal(container["name"], reasons, scout is not None)


def from_registry(cluster: Cluster | None, pod: JsonObject, container: JsonObject, image: str) -> Command:
    """The command by the image's config in its registry; raises RescueError when it is not to be had there."""
    reference = parse(image)
    # Another image than the pod's is the user's choice: no status knows it.
    running = running_digest(pod, container) if image == container["image"] else ""
    logins = find_logins(cluster, pod, reference)
    try:
        found = find_config(reference, logins.credentials, architecture(cluster, pod), running)
    except RescueError as error:
        raise RescueError("; ".join((error.message, *logins.problems)), error.hint, error.code) from error
    argv, made_of = full_command(container, found.config)
    if not argv:
        raise RescueError(f"{reference} sets neither ENTRYPOINT nor CMD")
    moved = "" if reference.digest or running else " (as the tag is now)"
    return Command(argv, "registry", f"{made_of} of {reference}{moved}, as its registry says")


def architecture(cluster: Cluster | None, pod: JsonObject) -> str:
    """The architecture of the node that the container runs on; empty when neither node nor manifest tells."""
    spec = pod["spec"]
    if cluster is not None and spec.get("nodeName"):
        try:
            node = cluster.get("nodes", "", spec["nodeName"])
            return str(node["status"]["nodeInfo"]["architecture"])
        except (ClusterError, LookupError):
            pass  # Most accounts may not read nodes: the manifest may tell.
    return (spec.get("nodeSelector") or {}).get(_ARCHITECTURE) or _required_architecture(spec)


def _required_architecture(spec: JsonObject) -> str:
    """The one architecture that the node affinity allows, if it allows just one."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or ()
    found = [_values(term) for term in terms]
    values = {value for group in found for value in group}
    return values.pop() if len(values) == 1 and all(found) else ""


def _values(term: JsonObject) -> list[str]:
    expressions = [entry for entry in term.get("matchExpressions") or () if entry.get("operator") == "In"]
    return [value for entry in expressions if entry.get("key") == _ARCHITECTURE for value in entry.get("values") or ()]


def _refusal(name: str, reasons: Sequence[str], scouted: bool) -> RescueError:
    """Every reason, and what to type."""
    hint = f"give it after --, as in: rescue pod … -c {name} -- /path/to/program ARG…"
    if not scouted:
        hint += "; or let `rescue pod` watch it start in a scout pod (without --no-scout; a plan creates none)"
    return RescueError(
        f"container {name!r} sets no command, and its image's could not be found: {'; '.join(reasons)}",
        hint,
        ExitCode.REFUSED,
    )
