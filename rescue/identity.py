"""What the programs of a pod know of it: its host name, and what the downward API gave them.  Pure."""

import re

from rescue.model import JsonObject

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HOST_NAME_LIMIT = 63  # kubelet: truncatePodHostnameIfNeeded
_LABEL_OR_ANNOTATION = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")


def hostname(pod: JsonObject) -> str | None:
    """The host name that the original's programs see, if a pod may have it as its own."""
    name = pod["spec"].get("hostname") or pod["metadata"]["name"][:_HOST_NAME_LIMIT].rstrip("-.")
    on_host = pod["spec"].get("hostNetwork")
    return name if _DNS_LABEL.fullmatch(name) and not on_host else None


def field_values(pod: JsonObject, containers: list[JsonObject]) -> list[JsonObject]:
    """What the downward API gave the original's environment, where the clone's own would be another."""
    references = (
        ((entry.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath", "")
        for container in containers
        for entry in container.get("env") or ()
    )
    given = ((path, _field_value(pod, path)) for path in dict.fromkeys(references))
    # In a literal value Kubernetes expands $(VAR): $$ is a plain $.
    return [{"path": path, "value": value.replace("$", "$$")} for path, value in given if value is not None]


def _field_value(pod: JsonObject, path: str) -> str | None:
    metadata = pod["metadata"]
    if path in ("metadata.name", "metadata.uid"):
        return str(metadata.get(path.removeprefix("metadata."), ""))
    match = _LABEL_OR_ANNOTATION.fullmatch(path)
    return str((metadata.get(match[1]) or {}).get(match[2], "")) if match else None
