"""Rules for controllers, Jobs, Services, ConfigMaps and Secrets."""

from collections.abc import Iterator

from rescue.sandbox import formats, selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.status import FieldError, invalid_value, required, unsupported_value
from rescue.sandbox.validation import metadata, pods

_SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def template_errors(obj: Object) -> Iterator[FieldError]:
    """Selector and template of a Deployment, ReplicaSet, DaemonSet or StatefulSet."""
    spec = obj.get("spec", {})
    if "selector" not in spec:
        yield required("spec.selector")
    elif not selectors.requirements(spec["selector"]):
        text = f"empty selector is invalid for {obj['kind'].lower()}"
        yield invalid_value("spec.selector", spec["selector"], text)
    labels = spec.get("template", {}).get("metadata", {}).get("labels") or {}
    if not selectors.matches(selectors.requirements(spec.get("selector", {})), labels):
        text = "`selector` does not match template `labels`"
        yield invalid_value("spec.template.metadata.labels", labels, text)
    yield from _template(spec, ("Always",))


def job_errors(obj: Object) -> Iterator[FieldError]:
    """Template of a Job."""
    yield from _template(obj.get("spec", {}), ("OnFailure", "Never"))


def _template(spec: Object, policies: tuple[str, ...]) -> Iterator[FieldError]:
    template = spec.get("template", {})
    yield from metadata.template_errors(template.get("metadata", {}), "spec.template")
    pod_spec = template.get("spec", {})
    yield from pods.spec_errors(pod_spec, "spec.template.spec", on_create=True)
    policy = pod_spec.get("restartPolicy")
    if policy not in policies:
        yield unsupported_value("spec.template.spec.restartPolicy", policy, policies)


def key_errors(obj: Object) -> Iterator[FieldError]:
    """Keys of a ConfigMap or Secret."""
    for group in ("data", "binaryData"):
        for key in obj.get(group) or {}:
            for text in formats.config_key(key):
                yield invalid_value(f"{group}[{key}]", key, text)


def service_errors(obj: Object) -> Iterator[FieldError]:
    """Type and ports of a Service."""
    spec = obj.get("spec", {})
    if spec.get("type") not in _SERVICE_TYPES:
        yield unsupported_value("spec.type", spec.get("type"), _SERVICE_TYPES)
    headless = spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName"
    if not spec.get("ports") and not headless:
        yield required("spec.ports")
    for index, port in enumerate(spec.get("ports", [])):
        path = f"spec.ports[{index}]"
        if port.get("port") and not 1 <= port["port"] <= 65535:
            yield invalid_value(f"{path}.port", port["port"], "must be between 1 and 65535, inclusive")
        if len(spec["ports"]) > 1 and not port.get("name"):
            yield required(f"{path}.name")
