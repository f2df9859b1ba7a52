"""Where the pod to rescue comes from: a pod, a workload's or a selector's worst pod, or a file."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rescue.errors import ExitCode, RescueError
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.manifest import load_all
from rescue.marks import why_not_ours
from rescue.model import JsonObject, Owner, Target
from rescue.options import Options
from rescue.templates import pod_in
from rescue.workloads import POD, Kind, owned, reference, selector_text, why_no_pods
from rescue.worst import worst_first

STDIN = Path("-")


@dataclass(frozen=True)
class Source:
    """The pod to rescue. ``live``: it is in the cluster; else there is no original to look at, and no status.

    ``choice`` says for people which pod it is and why, empty when the user named it. ``owner`` is the workload whose
    template was read from a file.
    """

    pod: JsonObject
    live: bool
    choice: str = ""
    owner: Owner | None = None


def find(cluster: Cluster, options: Options) -> Source:
    """The pod that the options mean.

    Raises RescueError: usage for a reference, selector or file that is malformed; refused when nothing of it can be
    rescued; ClusterError for what the cluster refuses or has not.
    """
    if options.filename is not None:
        return from_file(options.filename, options.namespace, cluster.namespace)
    if options.selector is not None:
        return _selected(cluster, options.selector, options.container)
    kind, name = reference(options.pod)
    if kind is POD:
        return Source(_named(cluster, name), live=True)
    return _of_workload(cluster, kind, name, options.container)


def from_file(path: Path, namespace: str | None, default: str | None = None) -> Source:
    """The pod in a file, ``-`` being stdin; its namespace is ``namespace``, else its own, else ``default``.

    Raises RescueError (usage).
    """
    pod, owner = pod_in(load_all(_read(path), str(path)), "stdin" if path == STDIN else str(path))
    metadata = pod["metadata"]
    place = namespace or metadata.get("namespace") or default
    placed = {**pod, "metadata": {**metadata, **({"namespace": place} if place else {})}}
    what = f", the template of {owner.kind} {owner.name}," if owner else ""
    choice = f"pod {metadata['name']}{what} is not in the cluster: there is no original to compare with"
    return Source(placed, live=False, choice=choice, owner=owner)


def _read(path: Path) -> str:
    try:
        return (sys.stdin.buffer.read() if path == STDIN else path.read_bytes()).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RescueError(f"{path}: {error}", "give a readable manifest", ExitCode.USAGE) from error


def _named(cluster: Cluster, name: str) -> JsonObject:
    try:
        return cluster.get("pods", cluster.namespace, name)
    except ClusterError as error:
        if error.status != 404:
            raise
        hint = f"{error.hint}; a workload is named with its kind, as in deploy/{name}"
        raise ClusterError(error.message, hint, error.status, error.reason) from error


def _selected(cluster: Cluster, selector: str, container: str | None) -> Source:
    try:
        pods = cluster.list("pods", cluster.namespace, labelSelector=selector)
    except ClusterError as error:
        if error.status != 400:
            raise
        hint = "as with kubectl: -l app=shop,tier!=cache or -l 'app in (shop, web)'"
        raise RescueError(error.message, hint, ExitCode.USAGE) from error
    pods = [pod for pod in pods if why_not_ours(pod)]  # A clone keeps labels of its original.
    if not pods:
        raise RescueError(
            f"no pod in namespace {cluster.namespace} matches {selector!r}",
            f"see: kubectl get pods -n {cluster.namespace} --show-labels",
            ExitCode.REFUSED,
        )
    return _worst(pods, f"matching {selector!r}", container)


def _of_workload(cluster: Cluster, kind: Kind, name: str, container: str | None) -> Source:
    """The worst pod of a workload, found by owners' uids."""
    workload = cluster.get(kind.resource, cluster.namespace, name)
    query = {"labelSelector": selector} if (selector := selector_text(workload)) else {}
    generations = [[workload]]
    for resource in kind.chain:
        below = cluster.list(resource, cluster.namespace, **query) if generations[-1] else []
        generations.append(owned(below, generations[-1]))
    *above, pods = generations
    if not pods:
        raise _without_pods(cluster, workload, kind, [item for items in above[1:] for item in items])
    return _worst(pods, f"of {kind.name} {name}", container)


def _worst(pods: Sequence[JsonObject], whose: str, container: str | None) -> Source:
    """The worst of pods, and how it was chosen; raises RescueError (refused) when none can be rescued.

    In a list a server leaves out apiVersion and kind, without which nothing can be applied.
    """
    ranked = worst_first(pods, container)
    pod, judged = ranked[0]
    if isinstance(judged, RescueError):
        count = f" ({len(pods)} pods)" if len(pods) > 1 else ""
        raise RescueError(f"no pod {whose} can be rescued{count}: {judged}", judged.hint, judged.code)
    failing = sum(isinstance(entry, Target) for _, entry in ranked)
    which = f"the worst of {failing} failing pods" if failing > 1 else "the only failing pod"
    told = f"the only pod {whose}" if len(pods) == 1 else f"{which} {whose} ({len(pods)} pods)"
    whole = {"apiVersion": "v1", "kind": "Pod", **pod}
    return Source(whole, True, f"pod {pod['metadata']['name']}: {told}")


def _without_pods(cluster: Cluster, workload: JsonObject, kind: Kind, between: Sequence[JsonObject]) -> RescueError:
    name, namespace = workload["metadata"]["name"], cluster.namespace
    reasons = [*why_no_pods(workload, kind, between), *_failures(cluster, [workload, *between])]
    what, place = f"{kind.words[-1]} {name}", f"-n {namespace}"
    return RescueError(
        f"{kind.name} {name} has no pods: {'; '.join(reasons) or 'its status does not say why'}",
        f"see: kubectl describe {what} {place}; to try its template: kubectl get {what} {place} -o yaml | "
        f"rescue pod -f - {place}",
        ExitCode.REFUSED,
    )


def _failures(cluster: Cluster, owners: Sequence[JsonObject]) -> list[str]:
    """Why pods could not be created, which most kinds tell by events alone."""
    said: dict[str, None] = {}
    for owner in owners:
        query = f"involvedObject.uid={owner['metadata']['uid']},type=Warning"
        try:
            events = cluster.list("events", cluster.namespace, fieldSelector=query)
        except ClusterError as error:
            return [f"its events cannot be read: {error.message}"]
        said |= dict.fromkeys(f"{event.get('reason')}: {event.get('message')}" for event in events)
    return list(said)[-3:]
