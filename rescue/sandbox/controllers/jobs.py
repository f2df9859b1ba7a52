"""Jobs: pods until enough succeeded or too many failed, with an exponential back-off between failures."""

from datetime import UTC, datetime, timedelta

from rescue.sandbox import registry, resources
from rescue.sandbox.controllers import claim, pods
from rescue.sandbox.controllers.replicasets import usefulness
from rescue.sandbox.events import record
from rescue.sandbox.objects import Object, timestamp
from rescue.sandbox.registry import Target
from rescue.sandbox.store import Store

COMPONENT = "job-controller"
FINALIZER = "batch.kubernetes.io/job-tracking"
_FIRST_BACKOFF_SECONDS = 10
_MAX_BACKOFF_SECONDS = 600


def reconcile(store: Store) -> None:
    """Count the ended pods of every Job, start new ones or finish it, and write its status."""
    for job in store.list("jobs"):
        if "deletionTimestamp" in job["metadata"]:
            continue
        if finished(job):
            _expire(store, job)
            continue
        found = claim.claim(store, job, finalizer=FINALIZER)
        status = _counted(store, job, found)
        running = claim.active(found)
        reason = _failure(job, status, running)
        if reason:
            _finish(store, job, status, running, "Failed", *reason)
        elif status.get("succeeded", 0) >= job["spec"].get("completions", 1):
            _finish(
                store,
                job,
                status,
                running,
                "Complete",
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            )
        else:
            _start(store, job, status, running, found)


def finished(job: Object) -> bool:
    """Whether the Job is Complete or Failed."""
    conditions = job.get("status", {}).get("conditions", [])
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)


def _counted(store: Store, job: Object, found: list[Object]) -> Object:
    """The status with every newly ended pod counted; counting takes the pod's finalizer."""
    status: Object = dict(job.get("status", {}))
    status.setdefault("startTime", timestamp())
    for pod in found:
        phase = pod.get("status", {}).get("phase")
        gone = "deletionTimestamp" in pod["metadata"] and phase != "Succeeded"
        if FINALIZER not in pod["metadata"].get("finalizers", []) or not (claim.ended(pod) or gone):
            continue
        key = "succeeded" if phase == "Succeeded" else "failed"
        status[key] = status.get(key, 0) + 1
        pod["metadata"]["finalizers"].remove(FINALIZER)
        store.update("pods", pod)
    return status


def _failure(job: Object, status: Object, running: list[Object]) -> tuple[str, str] | None:
    limit = job["spec"]["backoffLimit"]
    restarts = sum(c.get("restartCount", 0) for pod in running for c in pod["status"].get("containerStatuses", []))
    if status.get("failed", 0) > limit or (restarts > limit and _restarts_in_place(job)):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    deadline = job["spec"].get("activeDeadlineSeconds")
    if deadline and _since(status["startTime"]) >= timedelta(seconds=deadline):
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def _restarts_in_place(job: Object) -> bool:
    return bool(job["spec"]["template"]["spec"].get("restartPolicy") == "OnFailure")


def _since(time: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(time)


def _start(store: Store, job: Object, status: Object, running: list[Object], found: list[Object]) -> None:
    spec = job["spec"]
    left = spec.get("completions", 1) - status.get("succeeded", 0)
    wanted = 0 if spec.get("suspend") else min(spec["parallelism"], left)
    for pod in sorted(running, key=usefulness)[: max(0, len(running) - wanted)]:
        pods.delete(store, job, pod, COMPONENT)
    if wanted > len(running) and not _backing_off(status, found):
        for _ in range(wanted - len(running)):
            pod = pods.from_template(job, spec["template"], {})
            pod["metadata"]["finalizers"] = [FINALIZER]
            if not pods.create(store, job, pod, COMPONENT):
                break
    now = claim.active(claim.claim(store, job, finalizer=FINALIZER))
    ready = sum(1 for pod in now if claim.is_ready(pod))
    status |= {"active": len(now), "ready": ready, "terminating": 0, "uncountedTerminatedPods": {}}
    if not now:
        status.pop("active")
    pods.set_status(store, "jobs", job, status)


def _backing_off(status: Object, found: list[Object]) -> bool:
    failures = status.get("failed", 0)
    ends = [_ended_at(pod) for pod in found if pod.get("status", {}).get("phase") == "Failed"]
    if not failures or not ends:
        return False
    wait = min(_FIRST_BACKOFF_SECONDS * 2 ** (failures - 1), _MAX_BACKOFF_SECONDS)
    return _since(max(ends)) < timedelta(seconds=wait)


def _ended_at(pod: Object) -> str:
    statuses = pod["status"].get("containerStatuses", [])
    times = [s["state"]["terminated"].get("finishedAt") or "" for s in statuses if "terminated" in s["state"]]
    return str(max([*times, pod["metadata"]["creationTimestamp"]]))


def _finish(
    store: Store, job: Object, status: Object, running: list[Object], kind: str, reason: str, message: str
) -> None:
    for pod in running:
        pods.delete(store, job, pod, COMPONENT)
    now = timestamp()
    first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
    dated = {"status": "True", "lastProbeTime": now, "lastTransitionTime": now}
    conditions = [{"type": name, "reason": reason, "message": message} | dated for name in (first, kind)]
    status = {key: value for key, value in status.items() if key != "active"} | {
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": conditions,
    }
    if kind == "Complete":
        status["completionTime"] = now
    pods.set_status(store, "jobs", job, status)
    if kind == "Complete":
        record(store, job, "Completed", "Job completed", "Normal", COMPONENT)
    else:
        record(store, job, reason, message, "Warning", COMPONENT)


def _expire(store: Store, job: Object) -> None:
    seconds = job["spec"].get("ttlSecondsAfterFinished")
    ends = [c["lastTransitionTime"] for c in job["status"]["conditions"]]
    if seconds is not None and _since(max(ends)) >= timedelta(seconds=seconds):
        target = Target(resources.BY_PLURAL["jobs"], job["metadata"]["namespace"], job["metadata"]["name"])
        registry.delete(store, target, {}, dry_run=False)
