"""The columns of controllers and Jobs."""

from datetime import datetime

from rescue.sandbox.objects import Object
from rescue.sandbox.tables.columns import AGE, NAME, Column, age, at, human, moment, pairs, plain


def _template(obj: Object) -> list[Object]:
    found: list[Object] = obj["spec"].get("template", {}).get("spec", {}).get("containers", [])
    return found


_CONTAINERS = Column("Containers", plain(lambda obj: ",".join(c["name"] for c in _template(obj))), priority=1)
_IMAGES = Column("Images", plain(lambda obj: ",".join(c["image"] for c in _template(obj))), priority=1)
_SELECTOR = Column("Selector", plain(lambda obj: pairs(obj["spec"].get("selector", {}).get("matchLabels"))), priority=1)
_WIDE = (_CONTAINERS, _IMAGES, _SELECTOR)


def _ready(obj: Object) -> str:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)}"


def _count(name: str, path: str) -> Column:
    return Column(name, at(path, 0), type="integer")


def _job_status(job: Object) -> str:
    found = [c["type"] for c in job.get("status", {}).get("conditions", []) if c["status"] == "True"]
    return "Complete" if "Complete" in found else "Failed" if "Failed" in found else "Running"


def _duration(job: Object, now: datetime) -> str:
    status = job.get("status", {})
    if not status.get("startTime"):
        return ""
    end = status.get("completionTime")
    if end:
        return human((moment(end) - moment(status["startTime"])).total_seconds())
    return age(status["startTime"], now)


def _completions(job: Object) -> str:
    return f"{job.get('status', {}).get('succeeded', 0)}/{job['spec'].get('completions', 1)}"


COLUMNS = {
    "deployments": (
        NAME,
        Column("Ready", plain(_ready)),
        _count("Up-to-date", "status.updatedReplicas"),
        _count("Available", "status.availableReplicas"),
        AGE,
        *_WIDE,
    ),
    "replicasets": (
        NAME,
        _count("Desired", "spec.replicas"),
        _count("Current", "status.replicas"),
        _count("Ready", "status.readyReplicas"),
        AGE,
        *_WIDE,
    ),
    "daemonsets": (
        NAME,
        _count("Desired", "status.desiredNumberScheduled"),
        _count("Current", "status.currentNumberScheduled"),
        _count("Ready", "status.numberReady"),
        _count("Up-to-date", "status.updatedNumberScheduled"),
        _count("Available", "status.numberAvailable"),
        Column("Node Selector", plain(lambda obj: pairs(obj["spec"]["template"]["spec"].get("nodeSelector")))),
        AGE,
        *_WIDE,
    ),
    "statefulsets": (NAME, Column("Ready", plain(_ready)), AGE, _CONTAINERS, _IMAGES),
    "jobs": (
        NAME,
        Column("Status", plain(_job_status)),
        Column("Completions", plain(_completions)),
        Column("Duration", _duration),
        AGE,
        *_WIDE,
    ),
}
