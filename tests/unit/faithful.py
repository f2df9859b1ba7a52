"""Whether a clone runs the same program as its original, under the same conditions: where it differs, in sentences."""

import json
from collections.abc import Iterator

from rescue.model import JsonObject
from tests.shapes import containers

from .harmless import COMMAND

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
# What the rules change on purpose; everything else of a container and of the pod's spec must be as it was.
_CHANGED_IN_CONTAINERS = {
    "args", "command", "env", "image", "lifecycle", "livenessProbe", "ports", "readinessProbe", "resources",
    "restartPolicy", "restartPolicyRules", "startupProbe", "volumeDevices", "volumeMounts",
}  # fmt: skip
_CHANGED_IN_SPEC = {
    "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "ephemeralContainers",
    "hostIPC", "hostPID", "hostname", "initContainers", "nodeName", "overhead", "preemptionPolicy", "priority",
    "priorityClassName", "readinessGates", "resourceClaims", "restartPolicy", "schedulingGates", "schedulingGroup",
    "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "volumes",
}  # fmt: skip


def differences(pod: JsonObject, clone: JsonObject, name: str) -> list[str]:
    """Everything in which the target of the clone is not the container of that name in the pod."""
    (original,) = [container for container in containers(pod) if container["name"] == name]
    (target,) = [container for container in clone["spec"]["containers"] if container["name"] == name]
    return [
        *_fields(original, target, _CHANGED_IN_CONTAINERS),
        *_fields(pod["spec"], clone["spec"], _CHANGED_IN_SPEC),
        *_program(original, target),
        *_environment(pod, original, target),
        *_mounts(original, target),
        *_company(pod, clone, name),
        *_place(pod, clone),
        *_told(pod, clone),
    ]


def _fields(original: JsonObject, copy: JsonObject, changed: set[str]) -> Iterator[str]:
    for key in sorted((original.keys() | copy.keys()) - changed):
        if original.get(key) != copy.get(key):
            yield f"{key} is {copy.get(key)!r}, not {original.get(key)!r}"


def _program(original: JsonObject, target: JsonObject) -> Iterator[str]:
    if target["command"][0] != "/.rescue/busybox" or target["args"] != list(COMMAND.argv):
        yield f"it does not hold the command, but runs {target['command']} {target['args']}"
    if target["image"].partition("@")[0] not in (original["image"], _untagged(original["image"])):
        yield f"the image is {target['image']}"
    for kind in ("limits", "requests"):
        amounts = [(container.get("resources") or {}).get(kind) or {} for container in (original, target)]
        if amounts[0] != amounts[1]:
            yield f"its {kind} are {amounts[1]}, not {amounts[0]}"


def _untagged(image: str) -> str:
    """The repository as a status spells it, with registry and without tag."""
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    name = head + slash + tail.partition(":")[0]
    first = name.partition("/")[0]
    if "." in first or ":" in first:
        return name.replace("index.docker.io/", "docker.io/")
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


def _environment(pod: JsonObject, original: JsonObject, target: JsonObject) -> Iterator[str]:
    """The variables are the same, in their order; those that tell the pod's identity tell the original's."""
    before, after = original.get("env") or [], target.get("env") or []
    if [entry["name"] for entry in before] != [entry["name"] for entry in after]:
        yield f"its variables are {[entry['name'] for entry in after]}"
    for old, new in zip(before, after, strict=False):
        path = ((old.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath", "")
        told = {"metadata.name": pod["metadata"]["name"], "metadata.uid": pod["metadata"].get("uid")}.get(path)
        if told and new != {"name": old["name"], "value": told}:
            yield f"variable {old['name']} is {new}, not {told}"
        if not path.startswith("metadata.") and new != old:
            yield f"variable {old['name']} is {new}"


def _mounts(original: JsonObject, target: JsonObject) -> Iterator[str]:
    """Everything is mounted where it was; nothing else is, but the toolkit."""
    fields = ("mountPath", "name", "subPath", "subPathExpr")
    before, after = (
        {tuple(mount.get(field) for field in fields) for mount in container.get("volumeMounts") or ()}
        for container in (original, target)
    )
    if after - before != {("/.rescue", "rescue", None, None)} or before - after:
        yield f"it mounts {sorted(map(str, after ^ before))}"


def _company(pod: JsonObject, clone: JsonObject, name: str) -> Iterator[str]:
    """The containers before it are there; those beside it too, unless it is an init container, which runs alone.

    What has finished in a pod that runs once must not run again.
    """
    inits, apps = ([c["name"] for c in pod["spec"].get(group) or ()] for group in ("initContainers", "containers"))
    wanted = [*inits[: inits.index(name)], name] if name in inits else [*inits, *apps]
    policy = pod["spec"].get("restartPolicy")
    if name in apps and policy in ("Never", "OnFailure"):
        ended = {
            e["name"]: e["state"].get("terminated") for e in (pod.get("status") or {}).get("containerStatuses") or ()
        }
        over = [each for each, how in ended.items() if how and (policy == "Never" or how["exitCode"] == 0)]
        wanted = [each for each in wanted if each == name or each not in over]
    found = [container["name"] for container in containers(clone)]
    if sorted(found) != sorted([*wanted, "rescue-toolkit", "rescue-keeper"]):
        yield f"the containers are {found}"


def _place(pod: JsonObject, clone: JsonObject) -> Iterator[str]:
    """The host name is the same, where a pod may have it; so is the node, where the pod needs it.

    A static pod heeds no taint, and nor may its clone; every other tolerates what it did.
    """
    wanted = [*(pod["spec"].get("tolerations") or ())]
    if "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {}):
        wanted.append({"operator": "Exists", "effect": "NoSchedule"})
    if (clone["spec"].get("tolerations") or []) != wanted:
        yield f"its tolerations are {clone['spec'].get('tolerations')}"
    spec = pod["spec"]
    seen = spec.get("hostname") or pod["metadata"]["name"]
    if len(seen) <= 63 and "." not in seen and not spec.get("hostNetwork") and clone["spec"].get("hostname") != seen:
        yield f"its host name is {clone['spec'].get('hostname')}, not {seen}"
    needed = spec.get("hostNetwork") or any("hostPath" in volume for volume in spec.get("volumes") or ())
    here = {"key": "metadata.name", "operator": "In", "values": [spec.get("nodeName")]}
    required = ((clone["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    terms = required.get("nodeSelectorTerms") or [{}]
    if needed and spec.get("nodeName") and not all(here in (term.get("matchFields") or ()) for term in terms):
        yield f"it may run elsewhere than on {spec['nodeName']}"


def _told(pod: JsonObject, clone: JsonObject) -> Iterator[str]:
    """No file tells the clone's own name or uid; the labels that it lost are not forgotten."""
    own = [f"'fieldPath': 'metadata.{field}'" for field in ("name", "uid")]
    for volume in clone["spec"].get("volumes") or ():
        if any(path in str(volume) for path in own):
            yield f"volume {volume['name']} tells the clone's own name"
    kept = clone["metadata"]["annotations"].get("rescue.dev/source-labels", "null")
    if json.loads(kept) != pod["metadata"].get("labels", {}):
        yield "the labels of the original are forgotten"
