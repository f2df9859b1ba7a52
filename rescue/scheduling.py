"""What helps when the scheduler finds no node, by its words (kube-scheduler: pkg/scheduler/framework).  Pure."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """What the owner of a pod may do, and what the user may do for its clone; empty where nothing is known to help."""

    for_pod: str = ""
    for_clone: str = ""


# The first that fits.
_BY_WORDS = (
    (
        r"Insufficient ",
        "ask for less (resources.requests), or make room: kubectl describe nodes",
        "ask for less with --requests minimal",
    ),
    (r"Too many pods", "make room: kubectl describe nodes", ""),
    (r"taint", "tolerate the taint, or use other nodes: kubectl describe nodes", ""),
    (
        r"node affinity/selector|node selector",
        "change nodeSelector or affinity, or label a node: kubectl get nodes -L …",
        "let it run elsewhere with --any-node",
    ),
    (
        r"volume node affinity|volume zone",
        "its volume is bound to nodes that it may not use: kubectl get pv",
        "the volume is in another zone: leave it empty with --pvc NAME=empty",
    ),
    (
        r"max volume count",
        "its nodes have as many volumes as they can: use others: kubectl describe nodes",
        "leave the volumes empty with --pvc empty",
    ),
    (r"free ports", "another pod of each node has its hostPort", ""),
    (
        r"anti-affinity|affinity rules|topology spread",
        "relax its affinity or topologySpreadConstraints, or add nodes",
        "",
    ),
    (
        r"unschedulable|were cordoned",
        "a node is cordoned: kubectl uncordon NODE",
        "let it run elsewhere with --any-node",
    ),
)


def advice(message: str) -> Advice:
    """What helps by the scheduler's message, for the pod and for its clone."""
    fitting = [entry for entry in _BY_WORDS if re.search(entry[0], message)]
    of_pod = (for_pod for _, for_pod, _ in fitting)
    of_clone = (for_clone for *_, for_clone in fitting if for_clone)
    return Advice(next(of_pod, ""), next(of_clone, ""))
