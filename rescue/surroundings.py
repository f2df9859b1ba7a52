"""What explains a container that cannot be started: names that do exist, pull secrets, the story of a claim.

All of it goes into objects.json; of a pull secret only the registries, of everything else only names and events.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from rescue import claims
from rescue.credentials import pull_secrets
from rescue.diagnosis.correlate import unread
from rescue.diagnosis.references import GROUPS, of_pod, state
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.model import JsonObject

_CLAIMS = "persistentVolumeClaims"
_SECRET_FIELDS = (".dockerconfigjson", ".dockercfg")


def add_surroundings(cluster: Cluster, pod: JsonObject, objects: JsonObject) -> None:
    """Add ``names``, ``imagePullSecrets`` and the claims' ``events`` to the related objects of a pod."""
    namespace = pod["metadata"].get("namespace", "default")
    secrets = _pull_secrets(cluster, pod, namespace, objects["unreadable"])
    objects["imagePullSecrets"] = secrets
    groups = [*_lacking(pod, objects), *(["secrets"] if len(secrets) < len(pull_secrets(pod)) else [])]
    objects["names"] = {group: _names(cluster, group.lower(), namespace) for group in sorted(set(groups))}
    for name, claim in (objects.get(_CLAIMS) or {}).items():
        if claim.get("phase") != "Bound":
            claim["events"] = _events(cluster, namespace, name)


def _lacking(pod: JsonObject, objects: JsonObject) -> list[str]:
    """The groups of which an object that the pod needs was not found: its right name may be a similar one."""
    needed = [reference for reference in of_pod(pod) if not reference.optional]
    found = [GROUPS[r.kind] for r in needed if state(r, objects).word == "no object"]
    absent = set(claims.names(pod).values()) - set(objects.get(_CLAIMS) or {})
    return [*found, *([_CLAIMS] if absent and not unread(_CLAIMS, objects) else [])]


def _names(cluster: Cluster, resource: str, namespace: str) -> list[str]:
    """What there is; none when listing is not allowed: then only a similar name remains unknown."""
    names: list[str] = _tried(lambda: sorted(cluster.names(resource, namespace)), [])
    return names


def _events(cluster: Cluster, namespace: str, claim: str) -> list[str]:
    """What the cluster says of a claim, the newest last."""
    selector = f"involvedObject.kind=PersistentVolumeClaim,involvedObject.name={claim}"
    items = _tried(lambda: cluster.list("events", namespace, fieldSelector=selector), [])
    items = sorted(items, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return [f"{event.get('reason')}: {event.get('message')}" for event in items]


def _tried(read: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return read()
    except ClusterError:
        return otherwise


def _pull_secrets(cluster: Cluster, pod: JsonObject, namespace: str, unreadable: JsonObject) -> JsonObject:
    """The pod's pull secrets that exist, each with its type and the registries that it has a login for."""
    found: JsonObject = {}
    for name in pull_secrets(pod):
        try:
            found[name] = _registries(cluster.get("secrets", namespace, name))
        except ClusterError as error:
            if error.status != 404:
                unreadable["imagePullSecrets"] = error.message
    return found


def _registries(secret: JsonObject) -> JsonObject:
    """Type and registries; the logins themselves are forgotten here."""
    data = secret.get("data") or {}
    field = next((field for field in _SECRET_FIELDS if field in data), "")
    try:
        content = json.loads(base64.b64decode(data.get(field, "")) or "{}")
    except (binascii.Error, ValueError):
        content = {}
    auths = content.get("auths") if field == _SECRET_FIELDS[0] and isinstance(content, dict) else content
    return {"type": secret.get("type", ""), "registries": sorted(auths) if isinstance(auths, dict) else []}
