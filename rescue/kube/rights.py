"""Whether this account may do with a clone all that a rescue does with it: asked before there is one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError, Request

REVIEWS = "selfsubjectaccessreviews"
# A clone that could be created but not watched, entered or deleted would be left behind for nothing.
NEEDED = (
    *(("pods", verb) for verb in ("get", "watch", "create", "delete")),
    *(("pods/exec", verb) for verb in ("get", "create")),
)

OF_A_SCOUT = (("pods/log", "get"),)


def check(cluster: Cluster, namespace: str, needed: Sequence[tuple[str, str]] = NEEDED) -> None:
    """Raises ClusterError (403) that names every right that is missing; nothing was created then."""
    requests = [Request(verb, resource, namespace) for resource, verb in needed]
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(lambda request: _may(cluster, request), requests))
    missing = [request for request, allowed in zip(requests, answers, strict=True) if not allowed]
    if missing:
        raise ClusterError(
            f"you may not {', '.join(f'{r.verb} {r.resource}' for r in missing)} in namespace {namespace}; "
            "a rescue needs that, so nothing was created",
            f"see what is allowed: kubectl auth can-i {missing[0].check}",
            403,
        )


def _may(cluster: Cluster, request: Request) -> bool:
    """The server's answer; where it gives none, the request itself will be refused in its own words."""
    resource, _, sub = request.resource.partition("/")
    wanted = {"verb": request.verb, "resource": resource, "subresource": sub, "namespace": request.namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": wanted},
    }
    try:
        status = cluster.create(REVIEWS, "", review).get("status") or {}
    except ClusterError:
        return True
    return bool(status.get("allowed", True))
