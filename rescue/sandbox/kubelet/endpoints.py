"""Which pods stand behind a Service; pure."""

from dataclasses import dataclass

from rescue.sandbox.store import Object


@dataclass(frozen=True)
class Endpoint:
    """One address of one port of a service; ``hostname`` is the pod's, for names of a headless one."""

    address: str
    port: int
    hostname: str = ""


def selected(service: Object, pods: list[Object]) -> list[Object]:
    """The pods that get the service's traffic: selected, addressed, ready and staying."""
    spec, namespace = service["spec"], service["metadata"]["namespace"]
    selector = spec.get("selector")
    if not selector:
        return []
    unready = spec.get("publishNotReadyAddresses", False)
    return [
        pod
        for pod in pods
        if pod["metadata"]["namespace"] == namespace
        and selector.items() <= (pod["metadata"].get("labels") or {}).items()
        and (unready or _serves(pod))
        and pod.get("status", {}).get("podIP")
    ]


def endpoints(service: Object, port: Object, pods: list[Object]) -> list[Endpoint]:
    """Where the service's port leads to."""
    found = []
    for pod in selected(service, pods):
        number = _number(port, pod)
        if number:
            name = pod["spec"].get("hostname", "")
            found.append(Endpoint(pod["status"]["podIP"], number, name))
    return found


def _serves(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _number(port: Object, pod: Object) -> int:
    wanted = port.get("targetPort") or port["port"]
    if isinstance(wanted, int):
        return wanted
    for container in pod["spec"]["containers"]:
        for entry in container.get("ports", []):
            if entry.get("name") == wanted:
                return int(entry["containerPort"])
    return 0
