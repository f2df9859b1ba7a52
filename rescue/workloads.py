"""The kinds that stand for a pod: what users call them, which pods are theirs, and why one has none.  Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject, Owner

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True)
class Kind:
    """One kind: kubectl's words for it, the resources that lead to its pods, and where its pod template is."""

    name: str
    resource: str
    group: str
    short: tuple[str, ...] = ()
    chain: tuple[str, ...] = ("pods",)
    template: tuple[str, ...] = ("spec", "template")

    @property
    def words(self) -> tuple[str, ...]:
        """What kubectl takes for it, the shortest last."""
        return (self.resource, self.name.lower(), *self.short)


POD = Kind("Pod", "pods", "", ("po",), chain=(), template=())
KINDS = (
    POD,
    Kind("Deployment", "deployments", "apps", ("deploy",), chain=("replicasets", "pods")),
    Kind("ReplicaSet", "replicasets", "apps", ("rs",)),
    Kind("StatefulSet", "statefulsets", "apps", ("sts",)),
    Kind("DaemonSet", "daemonsets", "apps", ("ds",)),
    Kind("ReplicationController", "replicationcontrollers", "", ("rc",)),
    Kind("Job", "jobs", "batch"),
    Kind(
        "CronJob",
        "cronjobs",
        "batch",
        ("cj",),
        chain=("jobs", "pods"),
        template=("spec", "jobTemplate", "spec", "template"),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
CONTROLLERS = tuple(kind for kind in KINDS if kind.chain == ("pods",))  # They adopt pods that their selector matches.
_BY_WORD = {word: kind for kind in KINDS for word in kind.words}


def find_kind(word: str) -> Kind | None:
    """The kind that kubectl means by ``deploy``, ``Deployment``, ``deployments.apps`` or ``deployment.v1.apps``."""
    short, _, group = word.lower().partition(".")
    kind = _BY_WORD.get(short)
    return kind if kind and group in ("", kind.group, f"v1.{kind.group}") else None


def reference(text: str) -> tuple[Kind, str]:
    """Kind and name of ``NAME`` or ``KIND/NAME``; raises RescueError (usage)."""
    word, slash, name = text.rpartition("/")
    kind = find_kind(word) if slash else POD
    if kind is None:
        known = ", ".join(kind.words[-1] for kind in KINDS)
        raise RescueError(
            f"unknown kind {word!r} in {text!r}",
            f"KIND/NAME takes {known}; for others select the pods with -l; a namespace goes with -n",
            ExitCode.USAGE,
        )
    if not _NAME.fullmatch(name):
        raise RescueError(f"{text!r} holds no valid name", "give NAME or KIND/NAME, as in deploy/shop", ExitCode.USAGE)
    return kind, name


_OPERATORS = {
    "In": "{key} in ({values})",
    "NotIn": "{key} notin ({values})",
    "Exists": "{key}",
    "DoesNotExist": "!{key}",
}


def selector_text(workload: JsonObject) -> str:
    """The workload's selector as ``labelSelector`` takes it; empty for a kind without one."""
    selector = workload["spec"].get("selector") or {}
    if not {"matchLabels", "matchExpressions"} & selector.keys():
        return ",".join(f"{key}={value}" for key, value in selector.items())  # a ReplicationController's
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for entry in selector.get("matchExpressions") or ():
        values = ",".join(entry.get("values") or ())
        terms.append(_OPERATORS[entry["operator"]].format(key=entry["key"], values=values))
    return ",".join(terms)


def owned(items: Sequence[JsonObject], owners: Sequence[JsonObject]) -> list[JsonObject]:
    """The items that one of the owners controls, by uid: a name may have been another object's yesterday."""
    uids = {owner["metadata"]["uid"] for owner in owners}
    return [item for item in items if any(entry["uid"] in uids for entry in _controllers(item))]


def controller_of(item: JsonObject) -> Owner | None:
    """The object's controlling owner, if it has one."""
    return next((Owner(entry["kind"], entry["name"]) for entry in _controllers(item)), None)


def controller_kind(item: JsonObject) -> Kind | None:
    """The kind of that owner; None when it has none, or one of another API group, which may have a Job too."""
    for entry in _controllers(item):
        kind = BY_NAME.get(entry["kind"])
        return kind if kind and kind.group == str(entry.get("apiVersion", "")).rpartition("/")[0] else None
    return None


def _controllers(item: JsonObject) -> list[JsonObject]:
    """The one reference to a controller, or none."""
    return [entry for entry in item["metadata"].get("ownerReferences") or () if entry.get("controller")]


# Conditions that say why there is no pod; the message of ReplicaFailure is the quota's or the policy's own.
_TELLING = {
    "ReplicaFailure": "True",
    "Progressing": "False",
    "Failed": "True",
    "Suspended": "True",
    "Complete": "True",
}


def why_no_pods(workload: JsonObject, kind: Kind, between: Sequence[JsonObject]) -> list[str]:
    """What the workload, and what is between it and its pods, tell about there being none; may be empty."""
    reasons = [*_of_spec(workload["spec"]), *_of_status(workload.get("status") or {}, kind, between)]
    for item in (workload, *between):
        for condition in (item.get("status") or {}).get("conditions") or ():
            if _TELLING.get(condition["type"]) == condition["status"]:
                reasons.append(f"{condition['type']}: {condition.get('message') or condition.get('reason', '')}")
    return list(dict.fromkeys(reasons))


def _of_spec(spec: JsonObject) -> Iterator[str]:
    if spec.get("replicas") == 0:
        yield "it is scaled to 0 replicas"
    if spec.get("parallelism") == 0:
        yield "its parallelism is 0"
    if spec.get("suspend"):
        yield "it is suspended"
    if spec.get("paused"):
        yield "it is paused"


def _of_status(status: JsonObject, kind: Kind, between: Sequence[JsonObject]) -> Iterator[str]:
    if kind.name == "DaemonSet" and status.get("desiredNumberScheduled") == 0:
        yield "no node fits its node selector and tolerations"
    if kind.name == "CronJob" and not between:
        last = status.get("lastScheduleTime")
        yield f"its last run was at {last}, and the Job is gone" if last else "it was not due yet"
