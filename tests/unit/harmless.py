"""What a clone must not have, found by walking its manifest: plain Python that knows nothing of the rules it judges.

Every check takes the clone and gives a sentence for each thing it finds; ``problems`` asks them all.
"""

import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Any

from rescue import marks
from rescue.model import Command, JsonObject, Plan
from rescue.options import Wishes
from rescue.placeholders import Choices
from rescue.plan import compile_plan
from rescue.rulebook import load_rules
from rescue.rules import Rule
from rescue.sandbox import selectors as server
from rescue.triage import offline_target
from tests.shapes import containers

from .consistent import mounts, references, resources, sources

COMMAND = Command(("/bin/true", "$(HOME)"), "arguments")
MANAGED_BY = "app.kubernetes.io/managed-by"
NETWORKS = ("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network")
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
OURS = ("rescue-keeper", "rescue-toolkit", "rescue-observer")

# Read by webhooks when a pod is created, and by no controller's selector.
WEBHOOK_LABELS = {
    "azure.workload.identity/use", "istio.io/dataplane-mode", "istio.io/rev", "kuma.io/sidecar-injection",
    "sidecar.istio.io/inject",
}  # fmt: skip
WELL_KNOWN_LABELS = {
    "apps.kubernetes.io/pod-index", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name", "controller-revision-hash", "controller-uid", "job-name",
    "kueue.x-k8s.io/managed", "kueue.x-k8s.io/pod-group-name", "kueue.x-k8s.io/queue-name",
    "pod-group.scheduling.sigs.k8s.io", "pod-template-generation", "pod-template-hash",
    "rollouts-pod-template-hash", "scheduling.x-k8s.io/pod-group", "statefulset.kubernetes.io/pod-name",
}  # fmt: skip
# What describes the original's place, gives its address or name to a second pod, or counts it in a group.
FOREIGN_ANNOTATIONS = re.compile(
    r"kubectl\.kubernetes\.io/last-applied-configuration|kubernetes\.io/(config\..*|limit-ranger)"
    r"|k8s\.ovn\.org/pod-networks|k8s\.v1\.cni\.cncf\.io/networks?-status|ovn\.kubernetes\.io/.*(address|pool)"
    r"|vpc\.amazonaws\.com/pod-eni"
    r"|cni\.projectcalico\.org/(containerID|podIPs?|ipAddrs.*|floatingIPs|hwAddr)|prometheus\.io/(scrape|probe)"
    r"|(external-)?dns\.(alpha\.)?kubernetes\.io/(.*hostname|external|internal)|.*/(pod-)?group-(name|total-count)"
)
GONE_FROM_SPEC = {
    "ephemeralContainers", "hostIPC", "hostPID", "nodeName", "overhead", "preemptionPolicy", "priority",
    "priorityClassName", "resourceClaims", "schedulingGates", "schedulingGroup", "topologySpreadConstraints",
    "workloadRef",
}  # fmt: skip
GONE_FROM_CONTAINERS = {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}
# Data of others, by volume sources that can be read-only and by those of which only a mount can.
SHARES = {
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume",
    "gcePersistentDisk", "glusterfs", "iscsi", "nfs", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos",
}  # fmt: skip
DISKS = {"flocker", "photonPersistentDisk", "vsphereVolume"}


@cache
def rules() -> tuple[Rule, ...]:
    """The built-in rules."""
    return tuple(load_rules((), ()))


def choices(wishes: Wishes | None = None, **more: Any) -> Choices:
    """Choices of which ``more`` are fields; by default no selector is known."""
    given: dict[str, Any] = {
        "suffix": "x2b4c",
        "expires": "2026-01-01T00:00:00Z",
        "user": "kim@desk",
        "toolkit_image": "busybox:1.37.0-musl",
        "ttl_seconds": 3600,
        "quarantine": None,
    }
    return Choices(**given | more, wishes=wishes or Wishes())


def make_plan(pod: JsonObject, container: str, wishes: Wishes | None = None, **more: Any) -> Plan:
    """The plan for one container; ``more`` are fields of Choices."""
    return compile_plan(pod, offline_target(pod, container), rules(), choices(wishes, **more), COMMAND)


def problems(
    clone: JsonObject, selectors: Collection[JsonObject] | None = None, claims: Collection[str] = ()
) -> list[str]:
    """Everything that could hurt somebody or that a server refuses.

    ``selectors`` are those of the controllers (None: they are not known); ``claims`` the volumes for which the user
    asked to have a claim.
    """
    found = [problem for check in CHECKS for problem in check(clone)]
    return [*found, *labelled(clone, selectors), *adopted(clone, selectors or ()), *claimed(clone, claims)]


def volumes(pod: JsonObject, *sources: str) -> list[str]:
    """The names of the volumes that have one of these sources."""
    return [volume["name"] for volume in pod["spec"].get("volumes") or () if volume.keys() & set(sources)]


def name(clone: JsonObject) -> Iterator[str]:
    """A DNS label of at most 63 characters, and never ``<set>-<ordinal>``, which a StatefulSet would adopt."""
    found = clone["metadata"]["name"]
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", found):
        yield f"the name {found} is no DNS label"
    if re.search(r"-[0-9]+$", found):
        yield f"the name {found} could be a StatefulSet's member's"


def metadata(clone: JsonObject) -> Iterator[str]:
    """Nothing of the server's, of the owner's or of the original's life; all by which we know it as ours."""
    yield from (f"it has {key}" for key in clone.keys() - {"apiVersion", "kind", "metadata", "spec"})
    kept = {"name", "namespace", "labels", "annotations"}
    yield from (f"it has metadata.{key}" for key in clone["metadata"].keys() - kept)
    if said := marks.why_not_ours(clone):
        yield f"it is not known as ours: {said}"
    for key, text in clone["metadata"]["annotations"].items():
        if FOREIGN_ANNOTATIONS.fullmatch(key) or (key in NETWORKS and '"ips"' in text):
            yield f"it has the annotation {key}"


def labelled(clone: JsonObject, selectors: Collection[JsonObject] | None) -> Iterator[str]:
    """No label by which controllers know the original's company, and none at all where they are not known; ours."""
    labels = clone["metadata"]["labels"]
    known = labels.keys() if selectors is None else WELL_KNOWN_LABELS
    yield from (f"it has the label {key}" for key in sorted((labels.keys() & known) - WEBHOOK_LABELS - {MANAGED_BY}))
    if labels.get(MANAGED_BY) != "rescue":
        yield f"it has no label {MANAGED_BY}=rescue"


def adopted(clone: JsonObject, selectors: Collection[JsonObject]) -> Iterator[str]:
    """No controller takes it for one of its own, as the sandbox's controllers read selectors."""
    for selector in selectors:
        if server.matches(server.requirements(selector), server.labels_of(clone)):
            yield f"it is adopted by {selector}"


def spec(clone: JsonObject) -> Iterator[str]:
    """No place, rank or company of the original's; an end of its own; and never Ready."""
    found = clone["spec"]
    yield from (f"it has spec.{key}" for key in sorted(GONE_FROM_SPEC & found.keys()))
    affinity = found.get("affinity") or {}
    if "podAntiAffinity" in affinity or "matchLabelKeys" in str(affinity):
        yield "it has an anti-affinity, or one by labels that it has no more"
    life = (found.get("restartPolicy"), found.get("activeDeadlineSeconds"), found.get("terminationGracePeriodSeconds"))
    if life != ("Always", 3600, 1):
        yield f"its restart policy, deadline and grace period are {life}"
    if {"conditionType": "rescue.dev/never"} not in (found.get("readinessGates") or ()):
        yield "it can become Ready"
    tokens = [mount for _, mount in mounts(clone) if mount["mountPath"] == TOKEN_PATH]
    if tokens and found.get("automountServiceAccountToken") is not False:
        yield "the server gives a token to every container"


def life(clone: JsonObject) -> Iterator[str]:
    """No probe, hook or policy that restarts, ends or announces a container; no device of the original's."""
    for container in containers(clone):
        gone = GONE_FROM_CONTAINERS & container.keys()
        yield from (f"container {container['name']} has {key}" for key in sorted(gone))
        given = container.get("resources") or {}
        if "claims" in given:
            yield f"container {container['name']} claims a device"
        if container["name"] in OURS and not given and "resources" not in clone["spec"]:
            yield f"container {container['name']} has no bounds"
    for container in clone["spec"]["containers"]:
        if {"restartPolicy", "restartPolicyRules"} & container.keys():
            yield f"container {container['name']} has a restart policy of its own"


def ports(clone: JsonObject) -> Iterator[str]:
    """No port of the node, where the original listens."""
    for container in containers(clone):
        for port in container.get("ports") or ():
            if {"hostPort", "hostIP"} & port.keys():
                yield f"container {container['name']} has a port of the node: {port}"
            elif clone["spec"].get("hostNetwork"):
                yield f"port {port['containerPort']} of {container['name']} becomes a host port"


def writes(clone: JsonObject) -> Iterator[str]:
    """Nothing of the node and of others can be written to, and no mount appears on the node."""
    others = volumes(clone, "hostPath", *DISKS)
    for container, mount in mounts(clone):
        if mount["name"] in others and not mount.get("readOnly"):
            yield f"container {container} writes to {mount['name']}, which is not the pod's own"
        if mount.get("mountPropagation") == "Bidirectional":
            yield f"mounts of container {container} appear on the node"
    for volume in clone["spec"].get("volumes") or ():
        for source in SHARES & volume.keys():
            if not volume[source].get("readOnly"):
                yield f"volume {volume['name']} writes to a share of {source}"


def claimed(clone: JsonObject, asked: Collection[str]) -> Iterator[str]:
    """No claim, nor a device of one, but those that the user asked for."""
    for volume in volumes(clone, "persistentVolumeClaim", "ephemeral"):
        if volume not in asked:
            yield f"volume {volume} has a claim"
    for container in containers(clone):
        for device in container.get("volumeDevices") or ():
            if device["name"] not in asked:
                yield f"container {container['name']} has the block device {device['name']}"


CHECKS: tuple[Callable[[JsonObject], Iterator[str]], ...] = (
    name, metadata, spec, life, ports, writes, references, resources, sources,
)  # fmt: skip
