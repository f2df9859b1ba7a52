"""A crash loop of each kind of controller, and the copies of its pod that somebody in a hurry would make."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.cluster import Pod

IMAGE = "rescue.test/shell:1"
TEAM = {"team": "shop"}  # No controller selects by it, so a clone keeps it; a Service does.


@dataclass(frozen=True)
class Kind:
    """A kind of controller, and what its spec has besides selector and template."""

    name: str
    api_version: str
    plural: str
    more: dict[str, Any]
    adoptable: str = "naive-{}"  # The name of an orphan that it adopts.
    restart: str = "Always"
    selects: bool = True  # Whether the user writes its selector.


KINDS = (
    Kind("Deployment", "apps/v1", "deployments", {"replicas": 2}),
    Kind("ReplicaSet", "apps/v1", "replicasets", {"replicas": 2}),
    Kind("DaemonSet", "apps/v1", "daemonsets", {}),
    # It adopts only what is called as one of its own.
    Kind("StatefulSet", "apps/v1", "statefulsets", {"serviceName": "team"}, adoptable="{}-7"),
    Kind("Job", "batch/v1", "jobs", {"backoffLimit": 100}, restart="OnFailure", selects=False),
)


def workload(kind: Kind) -> dict[str, Any]:
    """A workload of this kind; its name, and its label ``app``, is the kind in lower case."""
    name = kind.name.lower()
    labels = {"app": name, **TEAM}
    selector = {"selector": {"matchLabels": {"app": name}}} if kind.selects else {}
    program = {"name": "app", "image": IMAGE, "command": ["sh", "-c", "cat /etc/app/config.toml || exit 3"]}
    spec = {"restartPolicy": kind.restart, "terminationGracePeriodSeconds": 0, "containers": [program]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name},
        "spec": {**selector, **kind.more, "template": template},
    }


def budget(kind: Kind) -> dict[str, Any]:
    """A PodDisruptionBudget for the pods of ``workload``."""
    name = kind.name.lower()
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}


def service() -> dict[str, Any]:
    """A Service for the whole team."""
    spec = {"selector": TEAM, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "team"}, "spec": spec}


def healthy() -> dict[str, Any]:
    """A pod of the team that runs."""
    container = {"name": "app", "image": IMAGE, "command": ["sleep", "3600"]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "healthy", "labels": TEAM}, "spec": spec}


def naive_copy(pod: Pod, name: str) -> dict[str, Any]:
    """The pod under another name, without its owner and its node, and with all its labels."""
    spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
    metadata = {"name": name, "labels": pod["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def without_gate(clone: Pod, name: str) -> dict[str, Any]:
    """A clone of ours but for the one thing that keeps it from being ready."""
    copy = naive_copy(clone, name)
    return {**copy, "spec": {key: value for key, value in copy["spec"].items() if key != "readinessGates"}}
