"""An address or a name, as the cluster's Services and Pods explain it."""

from dataclasses import dataclass
from typing import Any

from rescue.diagnosis.correlate import nearest
from rescue.model import JsonObject


@dataclass(frozen=True)
class Peer:
    """What stands behind an address; ``problem`` says why it may not answer, if that can be seen."""

    description: str = ""
    problem: str = ""


def peer(host: str, port: int, objects: JsonObject, pod: JsonObject) -> Peer:
    """The Service or Pod with this address or name; empty fields when nothing matches."""
    if host in ("localhost", "::1", "0.0.0.0", "::") or host.startswith("127."):
        return _loopback(port, pod)
    service = _service(host, objects, namespace(pod))
    if service is not None:
        return _of_service(service, port, objects)
    found = next((p for p in objects.get("pods") or [] if host and p.get("ip") == host), None)
    if found is None:
        return Peer()
    ready = "" if found.get("ready") else "It is not ready."
    return Peer(f"Pod {found.get('name')}", ready)


def namespace(pod: JsonObject) -> str:
    """The pod's namespace."""
    return str(pod.get("metadata", {}).get("namespace") or "default")


def similar_service(name: str, objects: JsonObject) -> str:
    """The Service whose name is nearest to the first label of a DNS name."""
    names = [_name(service) for service in objects.get("services") or []]
    return nearest(name.split(".")[0], names)


def has_service(name: str, objects: JsonObject) -> bool:
    """True when a Service has the first label of the DNS name."""
    return name.split(".")[0] in [_name(service) for service in objects.get("services") or []]


def _loopback(port: int, pod: JsonObject) -> Peer:
    containers = pod.get("spec", {}).get("containers") or []
    owners = [c["name"] for c in containers for p in c.get("ports") or [] if p.get("containerPort") == port]
    if owners:
        return Peer("the pod itself (loopback)", f"Container {owners[0]} of this pod declares the port.")
    return Peer("the pod itself (loopback)", "No container of this pod declares the port.")


def _service(host: str, objects: JsonObject, home: str) -> JsonObject | None:
    for service in objects.get("services") or []:
        addresses = {_spec(service, "clusterIP"), *(_spec(service, "clusterIPs") or [])} - {None, "", "None"}
        if host in addresses or host in _dns_names(_name(service), home):
            return dict(service)
    return None


def _dns_names(name: str, home: str) -> list[str]:
    return [name, f"{name}.{home}", f"{name}.{home}.svc", f"{name}.{home}.svc.cluster.local"]


def _of_service(service: JsonObject, port: int, objects: JsonObject) -> Peer:
    ports = [p.get("port") for p in _spec(service, "ports") or []]
    what = f"Service {_name(service)}"
    if port and ports and port not in ports:
        return Peer(what, f"It serves port {', '.join(map(str, ports))}, not {port}.")
    selector = _spec(service, "selector") or {}
    if not selector:
        return Peer(what, "It has no selector.")
    return Peer(what, _backends(selector, objects))


def _backends(selector: JsonObject, objects: JsonObject) -> str:
    pods = objects.get("pods")
    if pods is None:
        return ""
    behind = [p for p in pods if selector.items() <= (p.get("labels") or {}).items()]
    if not behind:
        return "No pod matches its selector, so nothing is behind it."
    if not any(p.get("ready") for p in behind):
        return f"None of its {len(behind)} pod(s) is ready."
    return ""


def _name(service: JsonObject) -> str:
    return str(service.get("name") or service.get("metadata", {}).get("name") or "")


def _spec(service: JsonObject, key: str) -> Any:
    return service[key] if key in service else (service.get("spec") or {}).get(key)
