"""The environment of a container; pure, given the objects that it refers to."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from rescue.sandbox.kubelet.decode import binary_data
from rescue.sandbox.kubelet.expand import expand
from rescue.sandbox.kubelet.fields import field_value, resource_value
from rescue.sandbox.store import Object

# Gives a ConfigMap or Secret by resource and name, or None.
Lookup = Callable[[str, str], Object | None]


class ConfigError(Exception):
    """The container cannot be configured; the text is the message of CreateContainerConfigError."""


def environment(
    pod: Object, container: Object, lookup: Lookup, services: list[Object], capacity: Mapping[str, str]
) -> dict[str, str]:
    """Name → value: services first, then envFrom, then env, as the kubelet orders them; ConfigError."""
    found = _service_links(pod, services)
    result = dict(found)
    for source in container.get("envFrom", []):
        result |= _from_source(source, lookup)
    for entry in container.get("env", []):
        value = _entry(entry, pod, container, lookup, capacity, found | result)
        if value is not None:
            result[entry["name"]] = value
    return result


def _from_source(source: Object, lookup: Lookup) -> dict[str, str]:
    resource, reference = _reference(source)
    obj = lookup(resource, reference["name"])
    if obj is None:
        if reference.get("optional"):
            return {}
        raise ConfigError(f'{resource.removesuffix("s")} "{reference["name"]}" not found')
    prefix = source.get("prefix", "")
    return {prefix + key: data.decode(errors="replace") for key, data in binary_data(obj).items()}


def _reference(source: Object) -> tuple[str, Object]:
    if "configMapRef" in source:
        return "configmaps", source["configMapRef"]
    return "secrets", source["secretRef"]


def _entry(
    entry: Object,
    pod: Object,
    container: Object,
    lookup: Lookup,
    capacity: Mapping[str, str],
    known: Mapping[str, str],
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value", ""), known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_value(pod, container["name"], source["resourceFieldRef"], capacity)
    if "configMapKeyRef" in source:
        return _key(pod, "configmaps", "ConfigMap", source["configMapKeyRef"], lookup)
    if "secretKeyRef" in source:
        return _key(pod, "secrets", "Secret", source["secretKeyRef"], lookup)
    raise ConfigError(f"the sandbox does not know the source of variable {entry['name']}: {', '.join(source)}")


def _key(pod: Object, resource: str, kind: str, reference: Object, lookup: Lookup) -> str | None:
    name, key = reference["name"], reference["key"]
    obj = lookup(resource, name)
    if obj is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{resource.removesuffix("s")} "{name}" not found')
    data = binary_data(obj)
    if key in data:
        return data[key].decode(errors="replace")
    if reference.get("optional"):
        return None
    raise ConfigError(f"couldn't find key {key} in {kind} {pod['metadata']['namespace']}/{name}")


def _service_links(pod: Object, services: list[Object]) -> dict[str, str]:
    """Variables for the API server always; for the namespace's services unless switched off."""
    namespace = pod["metadata"]["namespace"]
    links = pod["spec"].get("enableServiceLinks", True)
    found: dict[str, str] = {}
    for service in services:
        meta = service["metadata"]
        is_api = (meta["namespace"], meta["name"]) == ("default", "kubernetes")
        if _has_address(service) and (is_api or (links and meta["namespace"] == namespace)):
            found |= service_variables(service)
    return found


def _has_address(service: Object) -> bool:
    return service["spec"].get("clusterIP", "None") not in ("", "None")


def service_variables(service: Object) -> dict[str, str]:
    """``REDIS_SERVICE_HOST`` and the Docker link names (``REDIS_PORT_6379_TCP_ADDR``) of one service."""
    name = service["metadata"]["name"].upper().replace("-", "_")
    host = service["spec"]["clusterIP"]
    ports = service["spec"].get("ports", [])
    found = {f"{name}_SERVICE_HOST": host, f"{name}_SERVICE_PORT": str(ports[0]["port"])} if ports else {}
    for port in ports:
        if port.get("name"):
            found[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    for index, port in enumerate(ports):
        found |= _link(name, host, port, first=index == 0)
    return found


def _link(name: str, host: str, port: Object, *, first: bool) -> dict[str, str]:
    protocol = port.get("protocol", "TCP")
    address = f"[{host}]" if ip_address(host).version == 6 else host
    url = f"{protocol.lower()}://{address}:{port['port']}"
    prefix = f"{name}_PORT_{port['port']}_{protocol}"
    link = {
        prefix: url,
        f"{prefix}_PROTO": protocol.lower(),
        f"{prefix}_PORT": str(port["port"]),
        f"{prefix}_ADDR": host,
    }
    return ({f"{name}_PORT": url} if first else {}) | link
