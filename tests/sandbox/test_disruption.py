"""Disruption budgets: whom they count, which is all that a clone must not be among."""

import pytest

from rescue.sandbox.objects import Object
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import Store
from tests.sandbox.plain import create, events, names, orphan, set_phase, workload


@pytest.mark.parametrize(
    ("spec", "expected", "desired", "allowed"),
    [
        ({"minAvailable": 1}, 4, 1, 1),
        ({"minAvailable": "50%"}, 3, 2, 0),
        ({"maxUnavailable": 2}, 3, 1, 1),
        ({"maxUnavailable": "34%"}, 3, 1, 1),
    ],
)
def test_a_disruption_budget_counts_its_pods_or_what_their_controllers_want(
    store: Store, spec: Object, expected: int, desired: int, allowed: int
) -> None:
    create(store, "replicasets", "rs", workload(replicas=3))
    for name in names(store)[:2]:
        set_phase(store, name, "Running", ready=True)
    orphan(store, "stray", app="y")
    selector = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    create(store, "poddisruptionbudgets", "budget", {**spec, "selector": selector})
    status = store.get("poddisruptionbudgets", "default", "budget")["status"]
    assert (status["expectedPods"], status["desiredHealthy"]) == (expected, desired)
    assert (status["currentHealthy"], status["disruptionsAllowed"]) == (2, allowed)


def counts(store: Store) -> tuple[int, int, int]:
    """expectedPods, currentHealthy, disruptionsAllowed."""
    status = store.get("poddisruptionbudgets", "default", "budget")["status"]
    return status["expectedPods"], status["currentHealthy"], status["disruptionsAllowed"]


def test_a_clone_with_the_labels_lets_one_more_of_production_go(store: Store) -> None:
    create(store, "replicasets", "rs", workload(app="shop", replicas=1))
    set_phase(store, names(store)[0], "Running", ready=True)
    create(store, "poddisruptionbudgets", "budget", {"minAvailable": 1, "selector": {"matchLabels": {"tier": "web"}}})
    assert events(store, "budget") == [("NoPods", "No matching pods found")]
    original = store.get("pods", "default", names(store)[0])
    original["metadata"]["labels"]["tier"] = "web"
    store.update("pods", original)
    orphan(store, "safe", app="other")
    set_phase(store, "safe", "Running", ready=True)
    assert counts(store) == (1, 1, 0)
    orphan(store, "naive", tier="web")
    assert counts(store) == (2, 1, 0)
    set_phase(store, "naive", "Running", ready=True)
    assert counts(store) == (2, 2, 1)


def test_a_budget_for_pods_whose_controller_has_no_scale_cannot_be_computed(store: Store) -> None:
    create(store, "daemonsets", "agent", workload())
    create(store, "poddisruptionbudgets", "budget", {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "x"}}})
    status = store.get("poddisruptionbudgets", "default", "budget")["status"]
    assert (status["disruptionsAllowed"], status["conditions"][0]["reason"]) == (0, "SyncFailed")
    text = f'Failed to calculate the number of expected pods: found no controllers for pod "{names(store)[0]}"'
    assert ("CalculateExpectedPodCountFailed", text) in events(store, "budget")


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"minAvailable": 1, "maxUnavailable": 1}, "minAvailable and maxUnavailable cannot be both set"),
        ({"minAvailable": -1}, "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"),
        ({"maxUnavailable": "many"}, 'spec.maxUnavailable: Invalid value: "many": a valid percent string must be'),
        ({"maxUnavailable": "101%"}, 'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'),
        ({"unhealthyPodEvictionPolicy": "Never"}, 'supported values: "AlwaysAllow", "IfHealthyBudget"'),
    ],
)
def test_a_wrong_budget_is_refused(store: Store, spec: Object, complaint: str) -> None:
    with pytest.raises(ApiError) as refused:
        create(store, "poddisruptionbudgets", "budget", spec)
    assert complaint in refused.value.message
