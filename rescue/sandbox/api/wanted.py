"""From a request to what it wants to do, before it is known whether such a thing exists (request.RequestInfo)."""

from collections.abc import Mapping

from rescue.sandbox.access.rbac import Attributes
from rescue.sandbox.api.queries import flag

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_COLLECTION = {"get": "list", "delete": "deletecollection"}
_OF_NAMESPACE = ("status", "finalize")


def wanted_by(method: str, path: str, query: Mapping[str, str]) -> Attributes:
    """The attributes of a request."""
    parts = [part for part in path.split("/") if part]
    verb = _VERBS.get(method, "")
    if parts[:1] == ["api"] and len(parts) > 2:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, rest = parts[1], parts[3:]
    else:
        return Attributes(verb, path=path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACE:
            rest = rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    if not name:
        verb = _COLLECTION.get(verb, verb)
        name = _selected_name(query) if verb in ("list", "deletecollection") else ""
    if verb in ("get", "list") and flag(query, "watch"):
        verb = "watch"
    return Attributes(verb, group, resource, subresource, namespace, name)


def _selected_name(query: Mapping[str, str]) -> str:
    """The one name that a field selector asks for: a role for that name allows the list."""
    terms = [term.partition("=") for term in query.get("fieldSelector", "").split(",")]
    return next((value.lstrip("=") for key, _, value in terms if key == "metadata.name"), "")
