"""A workload is called as kubectl calls it, its pods are found by owners, and why it has none is told."""

from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.kube.client import PREFIXES
from rescue.sandbox.resources import RESOURCES
from rescue.sandbox.selectors import parse_labels, requirements
from rescue.workloads import BY_NAME, KINDS, POD, find_kind, owned, reference, selector_text, why_no_pods


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_has_the_words_that_kubectl_takes(kind: Any) -> None:
    [resource] = [row for row in RESOURCES if row.kind == kind.name]
    assert {resource.plural, resource.singular, *resource.short} == set(kind.words)
    assert (resource.plural, resource.group) == (kind.resource, kind.group)
    assert kind.resource in PREFIXES
    assert set(kind.chain) <= PREFIXES.keys()


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("shop-0", "Pod", "shop-0"),
        ("po/shop.v2", "Pod", "shop.v2"),
        ("deploy/shop", "Deployment", "shop"),
        ("Deployment/shop", "Deployment", "shop"),
        ("deployment.apps/shop", "Deployment", "shop"),  # as kubectl get -o name writes it
        ("deployments.v1.apps/shop", "Deployment", "shop"),
        ("cj/nightly", "CronJob", "nightly"),
        ("cronjob.batch/nightly", "CronJob", "nightly"),
        ("rc/old", "ReplicationController", "old"),
    ],
)
def test_a_reference_is_read(text: str, kind: str, name: str) -> None:
    assert reference(text) == (BY_NAME[kind], name)


@pytest.mark.parametrize("text", ["svc/shop", "rollout/shop", "deployment.example.com/shop", "a/b/shop", "/shop"])
def test_an_unknown_kind_is_usage_and_the_known_are_listed(text: str) -> None:
    with pytest.raises(RescueError, match="unknown kind") as raised:
        reference(text)
    assert raised.value.code is ExitCode.USAGE
    assert "po, deploy, rs, sts, ds, rc, job, cj" in raised.value.hint


@pytest.mark.parametrize("text", ["deploy/", "pod/..", "sho p", "shop?x=y", "Shop"])
def test_a_name_that_no_object_can_have_is_usage(text: str) -> None:
    with pytest.raises(RescueError, match="no valid name") as raised:
        reference(text)
    assert raised.value.code is ExitCode.USAGE


def test_find_kind_knows_no_empty_word() -> None:
    assert find_kind("") is None
    assert find_kind("pods") is POD


SELECTORS: list[Any] = [
    {"matchLabels": {"app": "shop", "tier": "web"}},
    {"matchExpressions": [{"key": "app", "operator": "In", "values": ["shop", "web"]}]},
    {
        "matchLabels": {"app": "shop"},
        "matchExpressions": [
            {"key": "tier", "operator": "NotIn", "values": ["db"]},
            {"key": "example.com/live", "operator": "Exists"},
            {"key": "canary", "operator": "DoesNotExist"},
        ],
    },
]


@pytest.mark.parametrize("selector", SELECTORS)
def test_a_selector_is_written_as_a_server_reads_it(selector: Any) -> None:
    assert parse_labels(selector_text({"spec": {"selector": selector}})) == requirements(selector)


def test_a_bare_selector_is_a_replication_controllers_and_a_cron_job_has_none() -> None:
    assert selector_text({"spec": {"selector": {"app": "old", "x": "y"}}}) == "app=old,x=y"
    assert selector_text({"spec": {}}) == ""


def item(uid: str, *owners: tuple[str, bool]) -> Any:
    references = [{"uid": owner, "controller": controller} for owner, controller in owners]
    return {"metadata": {"uid": uid, "ownerReferences": references}}


def test_what_is_owned_is_told_by_the_controllers_uid() -> None:
    mine, adopted, foreign = item("a", ("me", True)), item("b", ("me", False)), item("c", ("other", True))
    assert owned([mine, adopted, foreign, {"metadata": {"uid": "d"}}], [{"metadata": {"uid": "me"}}]) == [mine]


FAILED = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: small"}


@pytest.mark.parametrize(
    ("kind", "spec", "status", "between", "reasons"),
    [
        ("Deployment", {"replicas": 0}, {}, [], ["it is scaled to 0 replicas"]),
        ("Deployment", {"replicas": 2, "paused": True}, {}, [], ["it is paused"]),
        ("Deployment", {}, {"conditions": [FAILED]}, [], ["ReplicaFailure: exceeded quota: small"]),
        ("Deployment", {}, {}, [{"status": {"conditions": [FAILED]}}], ["ReplicaFailure: exceeded quota: small"]),
        ("Deployment", {}, {"conditions": [{"type": "Available", "status": "False"}]}, [], []),
        ("Job", {"suspend": True}, {}, [], ["it is suspended"]),
        ("Job", {"parallelism": 0}, {}, [], ["its parallelism is 0"]),
        (
            "Job",
            {},
            {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]},
            [],
            ["Failed: DeadlineExceeded"],
        ),
        ("CronJob", {"suspend": True}, {}, [], ["it is suspended", "it was not due yet"]),
        ("CronJob", {}, {"lastScheduleTime": "noon"}, [], ["its last run was at noon, and the Job is gone"]),
        ("CronJob", {}, {"lastScheduleTime": "noon"}, [{}], []),
        ("DaemonSet", {}, {"desiredNumberScheduled": 0}, [], ["no node fits its node selector and tolerations"]),
        ("DaemonSet", {}, {"desiredNumberScheduled": 3}, [], []),
    ],
)
def test_why_there_is_no_pod(kind: str, spec: Any, status: Any, between: list[Any], reasons: list[str]) -> None:
    assert why_no_pods({"spec": spec, "status": status}, BY_NAME[kind], between) == reasons


def test_a_condition_that_parent_and_child_share_is_told_once() -> None:
    status = {"conditions": [FAILED]}
    assert len(why_no_pods({"spec": {}, "status": status}, BY_NAME["Deployment"], [{"status": status}])) == 1
