"""A clone that a controller would take for its own is refused: it, or a pod of the controller's, would be deleted."""

import json
from typing import Any

import pytest

from rescue.adoption import refuse_adopted
from rescue.errors import ExitCode, RescueError
from rescue.model import Plan
from rescue.options import Wishes
from rescue.plan import compile_plan
from rescue.rules import parse
from rescue.triage import offline_target

from .harmless import COMMAND, choices, rules

POD: Any = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "env": "test", "tier": "front"}},
    "spec": {"containers": [{"name": "app", "image": "web:1"}]},
}
MANAGED: Any = {"key": "app.kubernetes.io/managed-by"}
NOT_PROD: Any = {"key": "env", "operator": "NotIn", "values": ["prod"]}
NOT_LEGACY: Any = {"key": "legacy", "operator": "DoesNotExist"}
NO_APP: Any = {"key": "app", "operator": "DoesNotExist"}
FREE = frozenset({"app", "env", "legacy", "app.kubernetes.io/managed-by"})


def planned(selector: Any, patch: Any = (), **more: Any) -> Plan:
    made = choices(Wishes(), quarantine=FREE, selectors={"ReplicaSet shy": selector}, **more)
    mine = parse(json.dumps({"rules": list(patch)}), "mine.yaml")
    return compile_plan(POD, offline_target(POD, None), [*rules(), *mine], made, COMMAND)


@pytest.mark.parametrize("scout", [False, True])
@pytest.mark.parametrize(
    "selector",
    [
        {"matchExpressions": [NOT_PROD]},
        {"matchExpressions": [NOT_LEGACY, NO_APP]},
        {"matchExpressions": [{**MANAGED, "operator": "Exists"}]},
        {"matchExpressions": [{**MANAGED, "operator": "NotIn", "values": ["Helm"]}]},
        {"matchLabels": {"app.kubernetes.io/managed-by": "rescue"}},
        {"matchLabels": {"tier": "front"}},
        {"tier": "front"},
    ],
    ids=json.dumps,
)
def test_a_clone_that_a_selector_still_matches_is_refused(selector: Any, scout: bool) -> None:
    with pytest.raises(RescueError, match="ReplicaSet shy would adopt the clone") as refused:
        planned(selector, scout=scout)
    assert refused.value.code is ExitCode.REFUSED


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"app": "web"}, "matchExpressions": [NOT_PROD, NOT_LEGACY]},
        {"matchExpressions": [{"key": "app", "operator": "Exists"}, {**MANAGED, "operator": "Exists"}]},
        {"matchExpressions": [{**MANAGED, "operator": "DoesNotExist"}]},
        {"app": "web"},
        {},
    ],
    ids=json.dumps,
)
def test_a_clone_that_no_selector_matches_is_made(selector: Any) -> None:
    labels = planned(selector).clone["metadata"]["labels"]
    assert labels == {"tier": "front", "app.kubernetes.io/managed-by": "rescue"}


def test_the_hint_helps() -> None:
    away = {"id": "away", "op": "add", "path": "/metadata/labels", "key": "legacy", "value": "true"}
    plan = planned({"matchExpressions": [NOT_LEGACY]}, patch=[away])
    assert plan.clone["metadata"]["labels"]["legacy"] == "true"


def test_a_pod_without_labels_is_taken_by_what_asks_for_none() -> None:
    with pytest.raises(RescueError, match="Job any would adopt"):
        refuse_adopted(
            {"metadata": {}}, {"Job other": {"matchLabels": {"a": "b"}}, "Job any": {"matchExpressions": [NO_APP]}}
        )
