"""Hypothesis strategies compiled from the published OpenAPI definitions of Kubernetes.

An object has its required fields, some of the likely ones and a few of all others.  Where the schema says only
"string", the tables below give values that the server takes.
"""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from rescue.sandbox import schema
from rescue.sandbox.schema import Schema

Strategy = st.SearchStrategy[Any]

CORE = "io.k8s.api.core.v1."
_MOST_EXTRAS = 3
_MOST_ITEMS = 3

# Definitions of which exactly one field must be there; other fields of them, if any, are drawn as usual.
_UNIONS = {
    "Volume": None,
    "VolumeProjection": None,
    "EnvVarSource": None,
    "EnvFromSource": ("configMapRef", "secretRef"),
    "Probe": ("exec", "httpGet", "tcpSocket", "grpc"),
    "LifecycleHandler": None,
    "DownwardAPIVolumeFile": ("fieldRef", "resourceFieldRef"),
    "PodResourceClaim": ("resourceClaimName", "resourceClaimTemplateName"),
}
# What real pods mostly have, and what the rules are about: each is there in every second object.
_LIKELY = {
    "PodSpec": "volumes initContainers nodeName hostNetwork affinity",
    "Container": "env ports volumeMounts resources livenessProbe lifecycle volumeDevices",
    "ContainerPort": "hostPort name",
    "ResourceRequirements": "limits requests",
    "ResourceFieldSelector": "containerName",
    "EnvVar": "value valueFrom",
    "VolumeMount": "readOnly",
    "Affinity": "nodeAffinity podAntiAffinity",
    "NodeAffinity": "requiredDuringSchedulingIgnoredDuringExecution",
    "NodeSelectorTerm": "matchExpressions",
    "ObjectMeta": "labels annotations ownerReferences finalizers",
    "Lifecycle": "preStop postStart",
}
# Required by the server, though not by the schema.
_ALWAYS = {
    "Container": "image",
    "ConfigMapVolumeSource": "name",
    "SecretVolumeSource": "secretName",
    "PersistentVolumeClaimSpec": "accessModes resources",
    "ConfigMapEnvSource": "name",
    "SecretEnvSource": "name",
    "EphemeralVolumeSource": "volumeClaimTemplate",
    "ExecAction": "command",
    "TypedLocalObjectReference": "apiGroup",
    "TypedObjectReference": "apiGroup",
}
# Mean nearly the same as another field, and must agree with it.
_NEVER = {"dataSourceRef"}
_ALIAS = {"EphemeralContainer": "Container"}
# One source in three is a claim, one in six a path of the node.
_VOLUME_SOURCES = ("persistentVolumeClaim", "ephemeral", "hostPath", "configMap", "emptyDir", "projected")

NAMES = ("a", "web", "db-0", "0", "log-shipper", "x" * 63)
LABEL_KEYS = (
    "app", "tier", "pod-template-hash", "batch.kubernetes.io/job-name", "app.kubernetes.io/managed-by", "a.b/d-e.F_g",
)  # fmt: skip
_ANNOTATION_KEYS = ("price", "prometheus.io/scrape", "kubernetes.io/config.hash", "rescue.dev/source-pod", "a.b/c")
_NASTY = (
    "", "$(HOME)", "$$", "it's", 'a "b"', "{clone.name}", "/a~1b", "x|y", "line\nline\n", "é", "0755", "no", "[?@]",
)  # fmt: skip
_FIELD_PATHS = (
    "metadata.name", "metadata.uid", "metadata.labels['app']", "metadata.labels['a.b/d-e.F_g']",
    "metadata.annotations['price']", "metadata.namespace", "spec.nodeName", "status.podIP",
)  # fmt: skip


def _one(*values: Any) -> Strategy:
    return st.sampled_from(values)


_TEXT = st.sampled_from(_NASTY) | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6)
_WORD = _one("a", "shop", "Z9", "some-thing")
_NAME = _one(*NAMES)
_LABELS = st.dictionaries(_one(*LABEL_KEYS), _one("", "web", "A.b_c-1", "x" * 63), max_size=4)
_QUANTITY = _one("0", "1", "500m", "1.5", "64Mi", "1Gi", "1e3", "100k", "1Ki")
_AMOUNTS = st.dictionaries(
    _one("cpu", "memory", "ephemeral-storage", "nvidia.com/gpu", "hugepages-2Mi"), _QUANTITY, max_size=3
)
_POLICY = _one("Always", "OnFailure", "Never")

# By definition and field, else by field alone, else by definition alone, else by the type in the schema.
_VALUES: dict[str, Strategy] = {
    "Container.image": _one("shop:1", "reg:5000/a/b@sha256:" + "1" * 64, "nginx"),
    "Container.name": _NAME,
    "Container.restartPolicy": _POLICY,
    "ContainerPort.protocol": _one("TCP", "UDP", "SCTP"),
    "ContainerPort.name": _one("http", "a", "b-1"),
    "ResourceFieldSelector.resource": _one("limits.cpu", "requests.memory"),
    "EnvVar.name": _one("A", "LOG.LEVEL", "_x", "POD-NAME", "Z9"),
    "ObjectFieldSelector.fieldPath": _one(*_FIELD_PATHS),
    "ObjectMeta.annotations": st.dictionaries(_one(*_ANNOTATION_KEYS), _TEXT, max_size=4),
    "ObjectMeta.labels": _LABELS,
    "ObjectMeta.name": _one("web-0", "a", "a.b.c", "shop-7d4b9c-x2x7q", "y" * 253, "dots." * 12 + "e", "0-0"),
    "PodSpec.dnsPolicy": _one("ClusterFirstWithHostNet", "ClusterFirst", "Default"),
    "PodSpec.os": st.just({"name": "linux"}),
    "PodSpec.preemptionPolicy": _one("PreemptLowerPriority", "Never"),
    "PodSpec.restartPolicy": _POLICY,
    "PodReadinessGate.conditionType": _one("rescue.dev/never", "cloud.example.com/ready"),
    "PersistentVolumeClaimSpec.volumeMode": _one("Block", "Filesystem"),
    "PersistentVolumeClaimSpec.resources": st.just({"requests": {"storage": "1Gi"}}),
    "PersistentVolumeClaimTemplate.metadata": st.fixed_dictionaries({"labels": _LABELS}),
    "VolumeMount.mountPath": _one("/data", "/var/run/secrets/kubernetes.io/serviceaccount", "/a b", "/x"),
    "VolumeMount.mountPropagation": _one("None", "HostToContainer", "Bidirectional"),
    "VolumeMount.subPath": _one("a", "a/b", "x..y"),
    "accessModes": _one(["ReadWriteOnce"], ["ReadOnlyMany", "ReadWriteMany"]),
    "fieldsV1": st.just({"f:spec": {}}),
    "hostPort": st.integers(1, 65535),
    "containerPort": st.integers(1, 65535),
    "imagePullPolicy": _one("Always", "IfNotPresent", "Never"),
    "ip": st.just("10.0.0.7"),
    "key": _one("k", "a.b_C"),
    "limits": _AMOUNTS,
    "matchLabels": _LABELS,
    "nodeName": _one("node1", "ip-10-0-0-1.example.internal"),
    "operator": _one("In", "NotIn"),
    "overhead": st.just({"memory": "64Mi"}),
    "port": st.integers(1, 65535),
    "requests": _AMOUNTS,
    "successThreshold": st.just(1),
    "terminationMessagePolicy": _one("File", "FallbackToLogsOnError"),
    "value": _TEXT,
    "ContainerRestartRuleOnExitCodes.values": st.just([42]),
    "values": st.just(["v"]),
    "windowsOptions": st.just({}),
    "Quantity": _QUANTITY,
    "Time": st.just("2026-01-01T00:00:00Z"),
    "IntOrString": st.integers(1, 65535) | st.just("http"),
}
_NAME_FIELDS = ("Name", "name", "hostname", "subdomain", "claimName")
_TYPES: dict[str, Strategy] = {
    "boolean": st.booleans(),
    "integer": st.integers(1, 100),
    "number": st.integers(0, 9),
}


@cache
def of(kind: str) -> Strategy:
    """Objects of one definition of core/v1 (or a full name)."""
    name = kind if "." in kind else CORE + kind
    short = name.rpartition(".")[2]
    return _object(schema.definitions()[name], _ALIAS.get(short, short))


def _object(definition: Schema, kind: str) -> Strategy:
    fields = definition.get("properties", {})
    required = {*definition.get("required", ()), *_ALWAYS.get(kind, "").split()}
    members = _members(kind, fields, required)
    likely = [name for name in _LIKELY.get(kind, "").split() if name in fields and name not in members]
    rest = sorted(set(fields) - required - set(likely) - set(members) - _NEVER)

    @cache
    def field(name: str) -> Strategy:
        return _field(kind, name, fields[name])

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        chosen = [name for name in fields if name in required]
        chosen += [draw(st.sampled_from(members))] if members else []
        chosen += [name for name in likely if draw(st.booleans())]
        chosen += draw(st.lists(st.sampled_from(rest), max_size=_MOST_EXTRAS, unique=True)) if rest else []
        return {name: draw(field(name)) for name in chosen}

    return build()


def _members(kind: str, fields: dict[str, Schema], required: set[str]) -> list[str]:
    """The fields of a union, of which one is drawn; those of volumes by how common they are."""
    if kind not in _UNIONS:
        return []
    members = [name for name in _UNIONS[kind] or fields if name not in required]
    return [*members, *_VOLUME_SOURCES * 5] if kind == "Volume" else members


def _field(kind: str, name: str, spec: Schema) -> Strategy:
    reference = (schema.reference(spec) or "").rpartition(".")[2]
    for key in (f"{kind}.{name}", name, reference):
        if key in _VALUES:
            return _VALUES[key]
    if reference:
        return of(schema.reference(spec) or "")
    return _value(name, spec)


def _value(name: str, spec: Schema) -> Strategy:
    kind = next(item for item in schema.types(spec) if item != "null")
    if kind == "array":
        item = spec["items"]
        inner = of(schema.reference(item) or "") if schema.reference(item) else _value("", item)
        return st.lists(inner, min_size=1, max_size=_MOST_ITEMS)
    if kind == "object":
        return st.dictionaries(_one(*LABEL_KEYS), _WORD, max_size=2)
    if kind == "string":
        return _NAME if name.endswith(_NAME_FIELDS) else _WORD
    return _TYPES[kind]
