"""Values that a server takes where the schema says only "string", for the strategies of the published schema."""

from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

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


def one(*values: Any) -> Strategy:
    return st.sampled_from(values)


_TEXT = st.sampled_from(_NASTY) | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=6)
WORD = one("a", "shop", "Z9", "some-thing")
NAME = one(*NAMES)
_LABELS = st.dictionaries(one(*LABEL_KEYS), one("", "web", "A.b_c-1", "x" * 63), max_size=4)
_QUANTITY = one("0", "1", "500m", "1.5", "64Mi", "1Gi", "1e3", "100k", "1Ki")
_AMOUNTS = st.dictionaries(
    one("cpu", "memory", "ephemeral-storage", "nvidia.com/gpu", "hugepages-2Mi"), _QUANTITY, max_size=3
)
_POLICY = one("Always", "OnFailure", "Never")

# By definition and field, else by field alone, else by definition alone, else by the type in the schema.
VALUES: dict[str, Strategy] = {
    "Container.image": one("shop:1", "reg:5000/a/b@sha256:" + "1" * 64, "nginx"),
    "Container.name": NAME,
    "Container.restartPolicy": _POLICY,
    "ContainerPort.protocol": one("TCP", "UDP", "SCTP"),
    "ContainerPort.name": one("http", "a", "b-1"),
    "ResourceFieldSelector.resource": one("limits.cpu", "requests.memory"),
    "EnvVar.name": one("A", "LOG.LEVEL", "_x", "POD-NAME", "Z9"),
    "ObjectFieldSelector.fieldPath": one(*_FIELD_PATHS),
    "ObjectMeta.annotations": st.dictionaries(one(*_ANNOTATION_KEYS), _TEXT, max_size=4),
    "ObjectMeta.labels": _LABELS,
    "ObjectMeta.name": one("web-0", "a", "a.b.c", "shop-7d4b9c-x2x7q", "y" * 253, "dots." * 12 + "e", "0-0"),
    "PodSpec.dnsPolicy": one("ClusterFirstWithHostNet", "ClusterFirst", "Default"),
    "PodSpec.os": st.just({"name": "linux"}),
    "PodSpec.preemptionPolicy": one("PreemptLowerPriority", "Never"),
    "PodSpec.restartPolicy": _POLICY,
    "PodReadinessGate.conditionType": one("rescue.dev/never", "cloud.example.com/ready"),
    "PersistentVolumeClaimSpec.volumeMode": one("Block", "Filesystem"),
    "PersistentVolumeClaimSpec.resources": st.just({"requests": {"storage": "1Gi"}}),
    "PersistentVolumeClaimTemplate.metadata": st.fixed_dictionaries({"labels": _LABELS}),
    "VolumeMount.mountPath": one("/data", "/var/run/secrets/kubernetes.io/serviceaccount", "/a b", "/x"),
    "VolumeMount.mountPropagation": one("None", "HostToContainer", "Bidirectional"),
    "VolumeMount.subPath": one("a", "a/b", "x..y"),
    "accessModes": one(["ReadWriteOnce"], ["ReadOnlyMany", "ReadWriteMany"]),
    "fieldsV1": st.just({"f:spec": {}}),
    "hostPort": st.integers(1, 65535),
    "containerPort": st.integers(1, 65535),
    "imagePullPolicy": one("Always", "IfNotPresent", "Never"),
    "ip": st.just("10.0.0.7"),
    "key": one("k", "a.b_C"),
    "limits": _AMOUNTS,
    "matchLabels": _LABELS,
    "nodeName": one("node1", "ip-10-0-0-1.example.internal"),
    "operator": one("In", "NotIn"),
    "overhead": st.just({"memory": "64Mi"}),
    "port": st.integers(1, 65535),
    "requests": _AMOUNTS,
    "successThreshold": st.just(1),
    "terminationMessagePolicy": one("File", "FallbackToLogsOnError"),
    "value": _TEXT,
    "ContainerRestartRuleOnExitCodes.values": st.just([42]),
    "values": st.just(["v"]),
    "windowsOptions": st.just({}),
    "Quantity": _QUANTITY,
    "Time": st.just("2026-01-01T00:00:00Z"),
    "IntOrString": st.integers(1, 65535) | st.just("http"),
}
NAME_FIELDS = ("Name", "name", "hostname", "subdomain", "claimName")
TYPES: dict[str, Strategy] = {
    "boolean": st.booleans(),
    "integer": st.integers(1, 100),
    "number": st.integers(0, 9),
}
