"""What the API server's refusals mean for a user: one table from status code to words."""

import json
from dataclasses import dataclass
from typing import Any

from rescue.errors import ExitCode, RescueError


class ClusterError(RescueError):
    """The cluster said no; ``status`` is the HTTP status, 0 when it did not answer."""

    def __init__(self, message: str, hint: str, status: int, reason: str = "") -> None:
        super().__init__(message, hint, ExitCode.CLUSTER)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class _Meaning:
    what: str
    hint: str


# {request} is "create pods in namespace shop"; {check} the words for `kubectl auth can-i`.
MEANINGS: dict[int, _Meaning] = {
    400: _Meaning("the server could not read the request to {request}", "report this with --debug"),
    401: _Meaning("the server does not know who you are", "log in again, then: kubectl auth whoami"),
    403: _Meaning("you may not {request}, or a policy refuses it", "see what is allowed: kubectl auth can-i {check}"),
    404: _Meaning("not found", "looked {where}; is that right? see: kubectl get {check_resource} -A"),
    405: _Meaning("the server does not offer to {request}", "is it a Kubernetes API server?"),
    406: _Meaning("the server does not answer in JSON", "is it a Kubernetes API server?"),
    409: _Meaning("conflict", "something else changed it at the same time; try again"),
    410: _Meaning("the server no longer has that version", "try again"),
    413: _Meaning("the request is too large", "is the manifest over 1.5 MB?"),
    415: _Meaning("the server does not take this format", "is the cluster older than Kubernetes 1.25?"),
    422: _Meaning("the server finds the object invalid", "`rescue plan NAME -o yaml` shows what was sent"),
    429: _Meaning("the server has too many requests", "try again in a minute"),
    500: _Meaning("the server failed", "try again; then look at the API server's and webhooks' logs"),
    503: _Meaning("the server is not available", "try again; is the cluster healthy?"),
    504: _Meaning("the server took too long", "try again; is the cluster healthy?"),
}
_OTHER = _Meaning("the server answered with an error", "try again, with --debug for all details")


@dataclass(frozen=True)
class Request:
    """What was asked, in the words of RBAC."""

    verb: str
    resource: str
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.where}"

    @property
    def where(self) -> str:
        """Where it was asked, in words."""
        return f"in namespace {self.namespace}" if self.namespace else "in all namespaces"

    @property
    def check(self) -> str:
        """The words after ``kubectl auth can-i``."""
        return f"{self.verb} {self.resource} {f'-n {self.namespace}' if self.namespace else '-A'}"


def from_status(status: int, body: bytes | str, request: Request) -> ClusterError:
    """The error for an answer of status 400 or more; the API's own message comes first, when it sent one."""
    answer = _status_object(body)
    meaning = MEANINGS.get(status, _OTHER)
    words = {
        "request": str(request),
        "where": request.where,
        "check": request.check,
        "check_resource": request.resource.split("/")[0],
    }
    message = answer.get("message") or f"{meaning.what.format(**words)} (HTTP {status})"
    return ClusterError(message, meaning.hint.format(**words), status, answer.get("reason", ""))


def _status_object(body: bytes | str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) and answer.get("kind") == "Status" else {}


def unreachable(host: str, cause: Exception) -> ClusterError:
    """The error when the server did not answer at all."""
    reason = getattr(cause, "reason", None) or cause  # urllib3 wraps the reason in an account of its retries,
    words = str(reason).rsplit("): ", 1)[-1]  # and begins with the object that failed.
    return ClusterError(
        f"the API server at {host} does not answer: {words}",
        "is the cluster up, and is this the right --context? see: kubectl cluster-info",
        0,
    )
