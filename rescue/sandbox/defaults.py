"""Defaults that the server fills in before admission and validation.

The tables name the published definitions, so a default holds wherever the type is used: in a Pod and
in a Deployment's template alike.  Source: pkg/apis/*/v1/defaults.go of Kubernetes 1.36.
"""

import base64
from collections.abc import Callable
from typing import Any

from rescue.sandbox import schema
from rescue.sandbox.objects import Object, copy
from rescue.sandbox.resources import Resource

_CORE = "io.k8s.api.core.v1."
_APPS = "io.k8s.api.apps.v1."
_BATCH = "io.k8s.api.batch.v1."

_CONTAINER: Object = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
_DAEMON_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}

# Fields by definition; a field that is there is left alone.
_FIXED: dict[str, Object] = {
    f"{_CORE}PodSpec": {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    },
    f"{_CORE}Container": _CONTAINER,
    f"{_CORE}EphemeralContainer": _CONTAINER,
    f"{_CORE}ContainerPort": {"protocol": "TCP"},
    f"{_CORE}Probe": {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
    f"{_CORE}HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    f"{_CORE}GRPCAction": {"service": ""},
    f"{_CORE}ConfigMapVolumeSource": {"defaultMode": 420},
    f"{_CORE}SecretVolumeSource": {"defaultMode": 420},
    f"{_CORE}DownwardAPIVolumeSource": {"defaultMode": 420},
    f"{_CORE}ProjectedVolumeSource": {"defaultMode": 420},
    f"{_CORE}ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    f"{_CORE}ObjectFieldSelector": {"apiVersion": "v1"},
    f"{_CORE}HostPathVolumeSource": {"type": ""},
    f"{_CORE}ServiceSpec": {"sessionAffinity": "None", "type": "ClusterIP", "internalTrafficPolicy": "Cluster"},
    f"{_CORE}ServicePort": {"protocol": "TCP"},
    f"{_CORE}PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    f"{_CORE}Secret": {"type": "Opaque"},
    f"{_CORE}NamespaceSpec": {"finalizers": ["kubernetes"]},
    f"{_APPS}DeploymentSpec": {
        "replicas": 1,
        "strategy": _ROLLING,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    },
    f"{_APPS}ReplicaSetSpec": {"replicas": 1},
    f"{_APPS}DaemonSetSpec": {"updateStrategy": _DAEMON_ROLLING, "revisionHistoryLimit": 10},
    f"{_APPS}StatefulSetSpec": {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    f"{_BATCH}JobSpec": {
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    },
    f"{_BATCH}CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
}


def apply(obj: Object, resource: Resource) -> Object:
    """A copy of a decoded object with the defaults of its kind."""
    filled = copy(obj)
    if not resource.custom:
        _fill(filled, schema.definition_of(resource))
    if resource.kind in _KINDS:
        _KINDS[resource.kind](filled)
    return filled


def pull_policy(image: str) -> str:
    """The default imagePullPolicy: Always for ``:latest`` or no tag, else IfNotPresent."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _fill(obj: Object, definition: str) -> None:
    for field, value in _FIXED.get(definition, {}).items():
        obj.setdefault(field, copy(value))
    if definition in _COMPUTED:
        _COMPUTED[definition](obj)
    for field, spec in schema.properties({"$ref": f"#/$defs/{definition}"}).items():
        if field in obj:
            _fill_value(obj[field], spec)


def _fill_value(value: Any, spec: schema.Schema) -> None:
    name = schema.reference(spec)
    if name and isinstance(value, dict):
        _fill(value, name)
    elif isinstance(value, list):
        for item in value:
            _fill_value(item, spec.get("items", {}))


def _container(container: Object) -> None:
    container.setdefault("imagePullPolicy", pull_policy(container.get("image", "")))


def _image_volume(volume: Object) -> None:
    volume.setdefault("pullPolicy", pull_policy(volume.get("reference", "")))


def _volume(volume: Object) -> None:
    if set(volume) <= {"name"}:
        volume["emptyDir"] = {}


def _pod_spec(spec: Object) -> None:
    if "serviceAccount" in spec:
        spec.setdefault("serviceAccountName", spec["serviceAccount"])
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]


def _service_port(port: Object) -> None:
    if "port" in port:
        port.setdefault("targetPort", port["port"])


def _job_spec(spec: Object) -> None:
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)


_COMPUTED: dict[str, Callable[[Object], None]] = {
    f"{_CORE}Container": _container,
    f"{_CORE}EphemeralContainer": _container,
    f"{_CORE}ImageVolumeSource": _image_volume,
    f"{_CORE}Volume": _volume,
    f"{_CORE}PodSpec": _pod_spec,
    f"{_CORE}ServicePort": _service_port,
    f"{_BATCH}JobSpec": _job_spec,
}


def _pod(pod: Object) -> None:
    spec = pod.get("spec", {})
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        _host_ports(spec)
    for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        limits = container["resources"].get("limits", {})
        requests = container["resources"].get("requests", {})
        if limits:
            container["resources"]["requests"] = limits | requests


def _host_ports(spec: Object) -> None:
    """In the host's network every port is the host's."""
    for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        for port in container.get("ports", []):
            port.setdefault("hostPort", port.get("containerPort"))


def _secret(secret: Object) -> None:
    texts = secret.pop("stringData", {})
    if texts:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        secret["data"] = secret.get("data", {}) | encoded


def _namespace(namespace: Object) -> None:
    name = namespace["metadata"].get("name", "")
    labels = namespace["metadata"].setdefault("labels", {})
    labels.setdefault("kubernetes.io/metadata.name", name)
    namespace.setdefault("spec", {"finalizers": ["kubernetes"]})
    namespace.setdefault("status", {"phase": "Active"})


def _set(workload: Object) -> None:
    # ReplicaSets and Jobs take the template's labels when they have none (DaemonSets too).
    template = workload.get("spec", {}).get("template", {}).get("metadata", {}).get("labels")
    if template:
        workload["metadata"].setdefault("labels", dict(template))


_KINDS: dict[str, Callable[[Object], None]] = {
    "Pod": _pod,
    "Secret": _secret,
    "Namespace": _namespace,
    "ReplicaSet": _set,
    "Job": _set,
}
