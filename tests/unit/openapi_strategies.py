"""Hypothesis strategies compiled from the published OpenAPI definitions of Kubernetes.

An object has its required fields, some of the likely ones and a few of all others.  Where the schema says only
"string", ``openapi_values`` has what the server takes.
"""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from rescue.sandbox import schema
from rescue.sandbox.schema import Schema

from .openapi_values import LABEL_KEYS, NAME, NAME_FIELDS, TYPES, VALUES, WORD, Strategy, one

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
    "PodSpec": "volumes initContainers nodeName hostNetwork affinity resourceClaims priority preemptionPolicy",
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
        if key in VALUES:
            return VALUES[key]
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
        return st.dictionaries(one(*LABEL_KEYS), WORD, max_size=2)
    if kind == "string":
        return NAME if name.endswith(NAME_FIELDS) else WORD
    return TYPES[kind]
