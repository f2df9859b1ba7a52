"""A manifest becomes a pod: a Pod itself, a workload by its template."""

from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.model import Owner
from rescue.templates import pod_in
from rescue.workloads import KINDS, POD

CONTAINERS = [{"name": "web", "image": "shop:1"}]
INNER: Any = {"metadata": {"labels": {"app": "shop"}, "name": "ignored"}, "spec": {"containers": CONTAINERS}}


def workload(kind: Any, template: Any = INNER) -> Any:
    """An object of a kind with its template in place."""
    value = template
    for key in reversed(kind.template):
        value = {key: value}
    return {"kind": kind.name, "metadata": {"name": "shop", "namespace": "prod"}, **value}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not POD], ids=lambda kind: kind.name)
def test_a_template_gives_a_pod_with_the_workloads_name(kind: Any) -> None:
    pod, owner = pod_in([workload(kind)], "x.yaml")
    metadata = {"labels": {"app": "shop"}, "name": "shop", "namespace": "prod"}
    assert pod == {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": CONTAINERS}}
    assert owner == Owner(kind.name, "shop")


def a_pod(**metadata: Any) -> Any:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": CONTAINERS}}


def with_container(**fields: Any) -> Any:
    """A pod whose one container has more fields."""
    return {**a_pod(name="a"), "spec": {"containers": [{**CONTAINERS[0], **fields}]}}


def test_a_pod_stays_as_it_is() -> None:
    pod = {**a_pod(name="shop", annotations={"a": "b"}), "status": {"phase": "Failed"}}
    assert pod_in([pod], "x.yaml") == (pod, None)


@pytest.mark.parametrize(("metadata", "name"), [({"generateName": "shop-"}, "shop"), ({}, "pod")])
def test_a_pod_without_a_name_gets_one(metadata: Any, name: str) -> None:
    assert pod_in([a_pod(**metadata)], "x.yaml")[0]["metadata"]["name"] == name
    assert pod_in([{"kind": "Pod", "spec": {"containers": CONTAINERS}}], "x.yaml")[0]["metadata"]["name"] == "pod"


def test_a_null_is_a_field_that_is_not_set() -> None:
    pod = {**a_pod(name="shop", creationTimestamp=None), "status": None}
    pod["spec"] = {**pod["spec"], "initContainers": None, "volumes": [{"name": "tmp", "emptyDir": {}, "secret": None}]}
    read, _ = pod_in([pod], "x.yaml")
    assert read["metadata"] == {"name": "shop"}
    assert read["spec"] == {"containers": CONTAINERS, "volumes": [{"name": "tmp", "emptyDir": {}}]}
    assert "status" not in read


def test_other_objects_are_passed_over() -> None:
    service = {"kind": "Service", "metadata": {"name": "shop"}}
    assert pod_in([service, {"kind": "List", "items": [service, a_pod(name="a")]}], "x")[0]["metadata"]["name"] == "a"


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([], "nothing"),
        (["text", 1, None], "nothing"),
        ([{"kind": "Service"}], "but: Service"),
        ([{"kind": ["Pod"]}], "but: "),
        ([with_container(env=[{"value": "b"}])], r"take: spec\.containers\[0\]\.env\[0\]\.name is missing"),
        ([a_pod(name="a"), workload(KINDS[1])], "but: Pod, Deployment"),
        ([{"kind": "Deployment", "metadata": {"name": "shop"}}], "Deployment without"),
        ([{"kind": "Deployment", "spec": []}], "Deployment without"),
        ([workload(KINDS[1], {"metadata": [1], "spec": INNER["spec"]})], "Deployment without"),
        ([workload(KINDS[1], {"spec": {"containers": [{"name": "web"}]}})], "Deployment without"),
        ([a_pod(name=7)], "Pod without a valid name"),
        ([{**a_pod(), "metadata": "x"}], "Pod without a valid name"),
        ([a_pod(name="a", labels=["x"])], r"take: metadata\.labels is not a map of strings"),
        ([a_pod(name="a", annotations={"debug": True})], r"take: metadata\.annotations is not a map of strings"),
        ([with_container(env={"A": "b"})], r"take: spec\.containers\[0\]\.env is not a list of maps"),
        ([with_container(command="sleep 3")], r"take: spec\.containers\[0\]\.command is not a list of strings"),
        ([with_container(args=["-n", 3])], r"take: spec\.containers\[0\]\.args is not a list of strings"),
        ([with_container(resources=["cpu"])], r"take: spec\.containers\[0\]\.resources is not a map"),
        (
            [{**a_pod(), "spec": {**INNER["spec"], "volumes": [None, "x"]}}],
            r"take: spec\.volumes is not a list of maps",
        ),
    ],
)
def test_what_is_not_one_pod_is_usage(documents: list[Any], words: str) -> None:
    with pytest.raises(RescueError, match=words) as raised:
        pod_in(documents, "x.yaml")
    assert raised.value.code is ExitCode.USAGE
    assert raised.value.message.startswith("x.yaml ")
