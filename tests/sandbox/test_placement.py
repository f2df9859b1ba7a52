"""Where the scheduler puts pods, and what it says when it cannot."""

from typing import Any

import pytest

from rescue.sandbox import registry
from rescue.sandbox.objects import Object
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.resources import BY_PLURAL
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import Store
from tests.sandbox.plain import create, delete, end, events, furnished, names, node, refusal, template

LASTING = (
    "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
)
NO_VICTIMS = (
    "no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
)
HOST = "kubernetes.io/hostname"


def spec(**more: Any) -> Object:
    made: Object = template()["spec"] | more
    return made


def asking(**requests: str) -> Object:
    made = spec()
    made["containers"][0]["resources"] = {"requests": requests, "limits": requests}
    return made


def node_affinity(**term: Any) -> Object:
    required = {"nodeSelectorTerms": [term]}
    return spec(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})


def peer(kind: str, app: str, key: str = HOST, **more: Any) -> Object:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}} | more
    return spec(affinity={kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}})


def spread(app: str, skew: int = 1, key: str = HOST) -> Object:
    labels = {"matchLabels": {"app": app}}
    constraint = {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": labels}
    return spec(topologySpreadConstraints=[constraint])


def place(store: Store, name: str, pod: Object, **labels: str) -> str:
    """The node that a new pod gets, or what the scheduler says."""
    create(store, "pods", name, pod, labels=labels)
    return str(store.get("pods", "default", name)["spec"].get("nodeName") or refusal(store, name))


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (spec(nodeSelector={"disk": "ssd"}), "node(s) didn't match Pod's node affinity/selector"),
        (
            node_affinity(matchFields=[{"key": "metadata.name", "operator": "In", "values": ["node9"]}]),
            "node(s) didn't match Pod's node affinity/selector",
        ),
        (
            node_affinity(matchExpressions=[{"key": HOST, "operator": "NotIn", "values": ["node1"]}]),
            "node(s) didn't match Pod's node affinity/selector",
        ),
        (asking(**{"nvidia.com/gpu": "1"}), "Insufficient nvidia.com/gpu"),
        (asking(memory="1Ti"), "Insufficient memory"),
        (peer("podAffinity", "nobody"), "node(s) didn't match pod affinity rules"),
        (spread("x", key="zone"), "node(s) didn't match pod topology spread constraints (missing required label)"),
    ],
)
def test_a_pod_that_no_node_can_ever_take(store: Store, pod: Object, reason: str) -> None:
    assert place(store, "p", pod) == f"0/1 nodes are available: 1 {reason}. {LASTING}"


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (asking(cpu="1500m"), asking(cpu="600m"), "Insufficient cpu"),
        (peer("podAntiAffinity", "x"), spec(), "node(s) didn't satisfy existing pods anti-affinity rules"),
        (spec(), peer("podAntiAffinity", "x"), "node(s) didn't match pod anti-affinity rules"),
    ],
)
def test_a_pod_that_must_wait_for_another_to_go(store: Store, first: Object, second: Object, reason: str) -> None:
    assert place(store, "first", first, app="x") == "node1"
    assert place(store, "second", second, app="x") == f"0/1 nodes are available: 1 {reason}. {NO_VICTIMS}"
    assert events(store, "second") == [("FailedScheduling", refusal(store, "second"))]
    end(store, "first")
    assert refusal(store, "second") == ""


@pytest.mark.parametrize("operator", ["In", "NotIn"])
def test_a_node_may_be_chosen_by_its_name(operator: str) -> None:
    store = furnished(node("node1"), node("node2"))
    field = {"key": "metadata.name", "operator": operator, "values": ["node2"]}
    assert place(store, "p", node_affinity(matchFields=[field])) == ("node2" if operator == "In" else "node1")


def test_the_terms_of_a_node_affinity_are_alternatives_and_an_empty_one_is_none(store: Store) -> None:
    here = {"matchExpressions": [{"key": HOST, "operator": "Exists"}]}
    pod = node_affinity()
    required = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert "didn't match" in place(store, "empty", pod)
    required["nodeSelectorTerms"].append(here)
    assert place(store, "either", pod) == "node1"


TAINT = {"key": "team", "value": "db", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({}, False),
        ({"key": "team", "operator": "Equal", "value": "db", "effect": "NoSchedule"}, True),
        ({"key": "team", "operator": "Equal", "value": "web"}, False),
        ({"key": "team", "operator": "Exists"}, True),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"operator": "Exists"}, True),
    ],
)
def test_a_taint_keeps_those_away_that_do_not_tolerate_it(toleration: Object, fits: bool) -> None:
    store = furnished(node(taints=[TAINT]))
    found = place(store, "p", spec(tolerations=[toleration] if toleration else []))
    assert found == ("node1" if fits else f"0/1 nodes are available: 1 node(s) had untolerated taint(s). {LASTING}")


def port(number: int, protocol: str = "TCP", address: str = "") -> Object:
    made = spec()
    made["containers"][0]["ports"] = [
        {"containerPort": 80, "hostPort": number, "protocol": protocol} | ({"hostIP": address} if address else {})
    ]
    return made


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        (port(8080), False),
        (port(8081), True),
        (port(8080, "UDP"), True),
        (port(8080, address="127.0.0.1"), False),
    ],
)
def test_a_host_port_is_there_once(store: Store, other: Object, fits: bool) -> None:
    assert place(store, "first", port(8080)) == "node1"
    text = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
    assert place(store, "second", other) == ("node1" if fits else f"{text} {NO_VICTIMS}")


def test_the_ports_of_a_pod_in_the_hosts_network_are_host_ports(store: Store) -> None:
    pod = spec(hostNetwork=True)
    pod["containers"][0]["ports"] = [{"containerPort": 9100}]
    assert place(store, "agent", pod) == "node1"
    assert store.get("pods", "default", "agent")["spec"]["containers"][0]["ports"][0]["hostPort"] == 9100
    assert "free ports" in place(store, "copy", pod)


@pytest.mark.parametrize(
    ("pod", "complaint"),
    [
        (
            port(8080) | {"hostNetwork": True},
            "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork`"
            " is true",
        ),
        (
            {"containers": [c | {"name": n} for n in "ab" for c in port(8080)["containers"]]},
            'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//8080"',
        ),
    ],
)
def test_host_ports_that_contradict_each_other_are_refused(store: Store, pod: Object, complaint: str) -> None:
    with pytest.raises(ApiError) as refused:
        create(store, "pods", "p", pod)
    assert complaint in refused.value.message


def test_pods_that_avoid_each_other_are_on_different_nodes() -> None:
    store = furnished(node("node1"), node("node2"))
    pod = peer("podAntiAffinity", "x")
    assert [place(store, name, pod, app="x") for name in ("a", "b")] == ["node1", "node2"]
    assert place(store, "c", pod, app="x").startswith(
        "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules."
    )
    # Without the label nobody avoids it.
    assert place(store, "clone", spec()) == "node1"


def test_a_pod_goes_where_those_are_that_it_wants() -> None:
    store = furnished(node("node1"), node("node2", labels={"big": "yes"}))
    place(store, "cache", spec(nodeSelector={"big": "yes"}), app="cache")
    assert place(store, "web", peer("podAffinity", "cache")) == "node2"
    # The first of a group that wants its own kind has nobody to follow.
    assert place(store, "group", peer("podAffinity", "group"), app="group") == "node1"


def test_terms_look_at_the_pods_own_namespace_unless_they_say_otherwise(store: Store) -> None:
    registry.create(store, Target(BY_PLURAL["namespaces"]), {"metadata": {"name": "other"}}, Options())
    body = {"metadata": {"name": "there", "labels": {"app": "x"}}, "spec": spec()}
    registry.create(store, Target(BY_PLURAL["pods"], "other"), body, Options())
    assert place(store, "own", peer("podAntiAffinity", "x")) == "node1"
    assert "anti-affinity" in place(store, "listed", peer("podAntiAffinity", "x", namespaces=["other"]))
    assert "anti-affinity" in place(store, "all", peer("podAntiAffinity", "x", namespaceSelector={}))


def test_pods_are_spread_within_their_skew() -> None:
    store = furnished(node("node1"), node("node2", unschedulable=True))
    pod = spread("x")
    assert place(store, "a", pod, app="x") == "node1"
    assert "1 node(s) didn't match pod topology spread constraints, 1 node(s) were unschedulable" in place(
        store, "b", pod, app="x"
    )
    assert place(store, "unlabelled", pod) == "node1"


def with_priorities(store: Store) -> None:
    for name, value in (("low", 1), ("high", 1000)):
        target = Target(BY_PLURAL["priorityclasses"])
        registry.create(store, target, {"metadata": {"name": name}, "value": value}, Options())
    body = {"metadata": {"name": "polite"}, "value": 1000, "preemptionPolicy": "Never"}
    registry.create(store, Target(BY_PLURAL["priorityclasses"]), body, Options())


def test_a_pod_of_higher_priority_pushes_out_no_more_than_it_must(store: Store) -> None:
    with_priorities(store)
    for name, cpu in (("small", "200m"), ("large", "1500m")):
        assert place(store, name, asking(cpu=cpu) | {"priorityClassName": "low"}) == "node1"
    said = place(store, "urgent", asking(cpu="1") | {"priorityClassName": "high"})
    assert said == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption:"
        " not eligible due to a terminating pod on the nominated node."
    )
    assert names(store) == ["small", "urgent"]
    victim = store.get("pods", "default", "large")
    assert victim["status"]["conditions"][-1]["reason"] == "PreemptionByScheduler"
    uid = store.get("pods", "default", "urgent")["metadata"]["uid"]
    assert ("Preempted", f"Preempted by pod {uid} on node node1") in events(store, "large")
    end(store, "large")
    assert store.get("pods", "default", "urgent")["spec"]["nodeName"] == "node1"


def test_a_pod_that_preempts_nobody_waits(store: Store) -> None:
    with_priorities(store)
    place(store, "large", asking(cpu="1500m") | {"priorityClassName": "low"})
    said = place(store, "polite", asking(cpu="1") | {"priorityClassName": "polite"})
    assert said.endswith("no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.")
    assert names(store) == ["large", "polite"]
    assert "No preemption victims" in place(store, "equal", asking(cpu="1") | {"priorityClassName": "low"})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"priority": 5},
            "the integer value of priority (5) must not be provided in pod spec; priority admission controller"
            " computed 0 from the given PriorityClass name",
        ),
        (
            {"preemptionPolicy": "Never"},
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission"
            " controller computed PreemptLowerPriority from the given PriorityClass name",
        ),
    ],
)
def test_what_the_priority_class_says_cannot_be_said_otherwise(store: Store, given: Object, why: str) -> None:
    with pytest.raises(ApiError) as refused:
        create(store, "pods", "p", spec(**given))
    assert refused.value.message == f'pods "p" is forbidden: {why}'


def test_a_pod_with_a_resource_claim_waits_without_a_word(store: Store) -> None:
    claims = [{"name": "gpu", "resourceClaimName": "none"}]
    create(store, "pods", "p", spec(resourceClaims=claims))
    pod = store.get("pods", "default", "p")
    assert "nodeName" not in pod["spec"]
    assert "conditions" not in pod["status"]
    assert events(store, "p") == []
    delete(store, "pods", "p")
    assert names(store, leaving=True) == []
