"""What the kubelet must know of the cluster that it serves."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterInfo:
    """``issue_token(namespace, service_account)`` gives the text of a projected service account token; NotFound."""

    issue_token: Callable[[str, str], str]
    service_cidr: str = "10.96.0.0/16"
    domain: str = "cluster.local"
