"""Who finds pods by their labels: the quarantine keeps controllers away, and what still sees the clone is said."""

from typing import Any

import pytest

from rescue import labels
from rescue.kube.errors import ClusterError
from rescue.onlookers import onlookers, quarantine


class Cluster:
    """Lists from tables; ``forbidden`` is refused, ``unknown`` the server does not have, ``failing`` it cannot give."""

    def __init__(
        self,
        forbidden: tuple[str, ...] = (),
        unknown: tuple[str, ...] = (),
        failing: tuple[str, ...] = (),
        **lists: list[Any],
    ) -> None:
        self.lists = lists
        self.forbidden, self.unknown, self.failing = forbidden, unknown, failing

    def list(self, resource: str, namespace: str) -> list[Any]:
        if resource in self.failing:
            raise ClusterError(f"the server failed to list {resource}", "", 500)
        if resource in self.unknown:
            raise ClusterError("not found", "", 404)
        if resource in self.forbidden or (f"{resource} -A" in self.forbidden and not namespace):
            raise ClusterError(f"{resource} is forbidden", "", 403)
        return self.lists.get(resource, [])


def named(name: str, **more: Any) -> Any:
    return {"metadata": {"name": name, "namespace": "shop"}, **more}


def owned(kind: str, version: str = "apps/v1") -> Any:
    owner = {"apiVersion": version, "kind": kind, "name": "web", "controller": True}
    return {"metadata": {"namespace": "shop", "ownerReferences": [owner]}}


APP: Any = {"matchLabels": {"app": "web", "pod-template-hash": "1"}}


@pytest.mark.parametrize("forbidden", ["replicasets", "jobs"])
def test_an_unknown_selector_makes_every_label_unsafe(forbidden: str) -> None:
    cluster: Any = Cluster(forbidden=(forbidden,), daemonsets=[named("agent", spec={"selector": APP})])
    known = quarantine(cluster, owned("ReplicaSet"))
    assert known.keys is None
    assert known.warnings == [
        f"all labels are dropped, because the selectors of {forbidden} cannot be read: {forbidden} is forbidden"
    ]
    assert known.selectors == {"DaemonSet agent": APP}, "what is known still counts"


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("CloneSet", "apps.kruise.io/v1alpha1"),
        ("DaemonSet", "apps.kruise.io/v1alpha1"),
        ("StatefulSet", "apps.kruise.io/v1beta1"),
        ("Job", "batch.volcano.sh/v1alpha1"),
        ("Deployment", "apps/v1"),
        ("ReplicaSet", "v1"),
    ],
)
def test_a_controller_of_another_kind_makes_every_label_unsafe(kind: str, version: str) -> None:
    cluster: Any = Cluster()
    known = quarantine(cluster, owned(kind, version))
    assert known.keys is None
    assert known.warnings == [f"all labels are dropped, because the selector of {kind} web is not known"]


@pytest.mark.parametrize(
    ("kind", "version"),
    [("ReplicaSet", "apps/v1"), ("DaemonSet", "apps/v1"), ("Job", "batch/v1"), ("ReplicationController", "v1")],
)
def test_the_quarantine_holds_every_selectors_keys(kind: str, version: str) -> None:
    old = named("old", spec={"selector": {"run": "x"}})
    cluster: Any = Cluster(replicasets=[named("web", spec={"selector": APP})], replicationcontrollers=[old])
    known = quarantine(cluster, owned(kind, version))
    assert (known.keys, known.warnings) == (frozenset({"app", "pod-template-hash", "run"}), [])
    assert known.selectors == {"ReplicaSet web": APP, "ReplicationController old": {"run": "x"}}


def test_a_service_that_publishes_the_clone_all_the_same_is_warned_of() -> None:
    services = [
        named("peers", spec={"selector": {"tier": "db"}, "publishNotReadyAddresses": True}),
        named("db", spec={"selector": {"tier": "db"}}),
        named("other", spec={"selector": {"tier": "web"}, "publishNotReadyAddresses": True}),
        named("manual", spec={"publishNotReadyAddresses": True}),
    ]
    cluster: Any = Cluster(services=services)
    warnings = onlookers(cluster, "shop", {"tier": "db"})
    assert [warning.split()[1] for warning in warnings] == ["peers"]


SEES = {"spec": {"selector": {"matchLabels": {"tier": "db"}}}}
BLIND = {"spec": {"selector": {"matchLabels": {"tier": "web"}}}}


def test_a_budget_that_counts_the_clone_is_warned_of() -> None:
    everything: Any = {"spec": {"selector": {}}}
    nothing: Any = {"spec": {}}
    budgets = [named("all", **everything), named("none", **nothing), named("web", **BLIND), named("db", **SEES)]
    cluster: Any = Cluster(poddisruptionbudgets=budgets)
    assert [w.split()[1] for w in onlookers(cluster, "shop", {"tier": "db"})] == ["all", "db"]


def test_monitors_that_scrape_the_clone_are_warned_of() -> None:
    elsewhere = {"metadata": {"name": "far", "namespace": "monitoring"}, **SEES}
    anywhere: Any = {"metadata": {"name": "any", "namespace": "monitoring"}}
    anywhere["spec"] = {**SEES["spec"], "namespaceSelector": {"any": True}}
    service = named("db", spec={"selector": {"tier": "db"}})
    service["metadata"]["labels"] = {"tier": "db"}
    cluster: Any = Cluster(
        podmonitors=[named("near", **SEES), elsewhere, anywhere],
        servicemonitors=[named("s", **SEES)],
        services=[service],
    )
    assert onlookers(cluster, "shop", {"tier": "db"}) == [
        "PodMonitor near scrapes the clone too",
        "PodMonitor any scrapes the clone too",
        "ServiceMonitor s scrapes the clone too, through Service db",
    ]


def test_a_cluster_without_monitors_says_nothing_and_a_refusal_is_said() -> None:
    cluster: Any = Cluster(unknown=("podmonitors", "servicemonitors"), forbidden=("poddisruptionbudgets",))
    (warning,) = onlookers(cluster, "shop", {})
    assert warning.startswith("not checked, whether poddisruptionbudgets still see the clone")


@pytest.mark.parametrize("resource", ["podmonitors", "servicemonitors", "services"])
@pytest.mark.parametrize("forbidden", [True, False], ids=["forbidden", "failing"])
def test_what_could_not_be_looked_at_is_said_once(resource: str, forbidden: bool) -> None:
    cluster: Any = Cluster(forbidden=(resource,)) if forbidden else Cluster(failing=(resource,))
    (warning,) = onlookers(cluster, "shop", {"tier": "db"})
    assert warning.startswith(f"not checked, whether {resource} still see the clone: ")


def test_who_may_not_look_everywhere_looks_into_the_namespace() -> None:
    cluster: Any = Cluster(forbidden=("podmonitors -A",), podmonitors=[named("near", **SEES)])
    assert onlookers(cluster, "shop", {"tier": "db"}) == ["PodMonitor near scrapes the clone too"]


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        ({"operator": "In", "values": ["db", "web"]}, True),
        ({"operator": "In", "values": ["web"]}, False),
        ({"operator": "NotIn", "values": ["web"]}, True),
        ({"operator": "NotIn", "values": ["db"]}, False),
        ({"operator": "Exists"}, True),
        ({"operator": "DoesNotExist"}, False),
        ({"operator": "DoesNotExist", "key": "x"}, True),
        ({"operator": "NotIn", "key": "x", "values": ["y"]}, True),
    ],
)
def test_an_expression_takes_what_kubernetes_would_take(expression: dict[str, Any], taken: bool) -> None:
    selector = {"matchExpressions": [{"key": "tier", **expression}]}
    assert labels.matches(selector, {"tier": "db"}) is taken
    assert labels.keys([selector]) == {selector["matchExpressions"][0]["key"]}
