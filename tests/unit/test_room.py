"""By how much a pod does not fit is told as far as nodes and pods may be seen."""

import copy
from typing import Any

import pytest

from rescue.kube.room import MOST_NODES, requested, shortage

from .recorded import recorded
from .test_gather import Cluster, named


def holder(name: str = "a", **requests: str) -> Any:
    return {"name": name, "resources": {"requests": {key.replace("_", "-"): text for key, text in requests.items()}}}


def pending(message: str, *containers: Any) -> Any:
    pod = copy.deepcopy(recorded("unschedulable")["last"])
    pod["status"]["conditions"][0]["message"] = message
    return {**pod, "spec": {**pod["spec"], "containers": list(containers)}}


def node(name: str, **allocatable: str) -> Any:
    return named(name, status={"allocatable": allocatable})


def on(place: str, phase: str = "Running", **requests: str) -> Any:
    return named("other", spec={"nodeName": place, "containers": [holder(**requests)]}, status={"phase": phase})


CPU = pending("0/2 nodes are available: 2 Insufficient cpu.", holder(cpu="1500m"), holder(cpu="1"))


def test_of_the_nodes_that_are_large_enough_the_one_with_most_left_is_named() -> None:
    pods = [on("large", cpu="1900m"), on("larger", cpu="6"), on("large", "Succeeded", cpu="4")]
    nodes = [node("small", cpu="2"), node("large", cpu="4"), node("larger", cpu="8")]
    cluster: Any = Cluster(nodes=nodes, pods=pods)
    words = "It asks for cpu 2.5; the node with the most room, large, has 2.1 of 4 left: 0.4 too little."
    assert shortage(cluster, CPU) == words


def test_where_no_node_is_large_enough_the_largest_is_named() -> None:
    cluster: Any = Cluster(nodes=[node("tiny", cpu="1"), node("small", cpu="2")], pods=[on("small", cpu="2")])
    assert shortage(cluster, CPU) == "It asks for cpu 2.5; the largest node, small, has 2 in all."


def test_memory_is_told_in_its_own_units() -> None:
    pod = pending("0/1 nodes are available: 1 Insufficient memory.", holder(memory="3Gi"))
    cluster: Any = Cluster(nodes=[node("n", memory="2Gi")], pods=[])
    assert shortage(cluster, pod) == "It asks for memory 3Gi; the largest node, n, has 2Gi in all."
    cluster = Cluster(nodes=[node("n", memory="4Gi")], pods=[on("n", memory="1280Mi")])
    assert shortage(cluster, pod).endswith("has 2.75Gi of 4Gi left: 256Mi too little.")


@pytest.mark.parametrize("forbidden", [("nodes",), ("nodes", "pods")])
def test_without_the_nodes_only_the_request_is_told(forbidden: tuple[str, ...]) -> None:
    cluster: Any = Cluster(forbidden=forbidden)
    assert shortage(cluster, CPU) == "It asks for cpu 2.5."


def test_pods_that_may_not_be_seen_or_are_too_many_leave_what_a_node_has_in_all() -> None:
    cluster: Any = Cluster(forbidden=("pods",), nodes=[node("n", cpu="4")])
    assert shortage(cluster, CPU) == "It asks for cpu 2.5; the largest node, n, has 4 in all."
    cluster = Cluster(nodes=[node(f"n{i}", cpu="4") for i in range(MOST_NODES + 1)])
    assert shortage(cluster, CPU).endswith("has 4 in all.")


def test_a_resource_of_a_device_plugin_is_told_too() -> None:
    pod = pending("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", {"name": "a", "resources": {}})
    pod["spec"]["containers"][0]["resources"]["requests"] = {"nvidia.com/gpu": "2"}
    cluster: Any = Cluster(nodes=[node("n", cpu="4")], pods=[])
    assert shortage(cluster, pod) == "It asks for nvidia.com/gpu 2; the largest node, n, has 0 in all."


@pytest.mark.parametrize("name", ["oom", "config-error"])
def test_a_pod_that_has_a_node_lacks_nothing(name: str) -> None:
    cluster: Any = Cluster(forbidden=("nodes", "pods"))
    assert shortage(cluster, recorded(name)["last"]) == ""


def test_sidecars_run_beside_all_and_init_containers_only_before() -> None:
    spec = {
        "initContainers": [holder(cpu="5"), {**holder(cpu="1"), "restartPolicy": "Always"}, holder(cpu="2")],
        "containers": [holder(cpu="1"), holder(memory="1Gi")],
        "overhead": {"cpu": "250m"},
    }
    assert {name: float(amount) for name, amount in requested({"spec": spec}).items()} == {"cpu": 5.25, "memory": 2**30}
    spec["containers"] = [holder(cpu="8")]
    assert float(requested({"spec": spec})["cpu"]) == 9.25
    assert float(requested({"spec": {**spec, **holder(cpu="3")}})["cpu"]) == 3.25
