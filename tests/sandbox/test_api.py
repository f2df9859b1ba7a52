"""What the recorded requests do not show: authentication, lists, watches, deletes, patches, logs, discovery."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from rescue.sandbox.objects import Object
from tests.sandbox.fakes import Cluster

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


def config_map(name: str, **labels: str) -> Object:
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}


def pod(name: str) -> Object:
    containers = [{"name": "a", "image": "busybox:1.36"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}


async def test_without_the_token_there_is_no_answer_but_readiness(cluster: Cluster) -> None:
    async with aiohttp.ClientSession() as stranger:
        url = cluster.client.make_url(PODS)
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            async with stranger.get(url, headers=headers) as response:
                body = await response.json()
                assert (response.status, body["reason"]) == (401, "Unauthorized")
        async with stranger.get(cluster.client.make_url("/readyz")) as response:
            assert (response.status, await response.text()) == (200, "ok")


async def test_selectors_choose_what_a_list_shows(cluster: Cluster) -> None:
    for name, color in (("x", "red"), ("y", "blue")):
        await cluster.call("POST", CONFIG_MAPS, config_map(name, color=color))
    for selector, expected in (
        ("labelSelector=color=red", ["x"]),
        ("labelSelector=color!=red", ["kube-root-ca.crt", "y"]),
        ("labelSelector=color in (red,blue)", ["x", "y"]),
        ("labelSelector=!color", ["kube-root-ca.crt"]),
        ("fieldSelector=metadata.name=y", ["y"]),
        ("fieldSelector=metadata.name!=y,metadata.namespace=default", ["kube-root-ca.crt", "x"]),
    ):
        _, body = await cluster.call("GET", f"{CONFIG_MAPS}?{selector}")
        assert [item["metadata"]["name"] for item in body["items"]] == expected, selector


async def test_pages_cover_the_list_once(cluster: Cluster) -> None:
    for number in range(5):
        await cluster.call("POST", CONFIG_MAPS, config_map(f"c{number}"))
    names, token = [], ""
    for _ in range(3):
        _, body = await cluster.call("GET", f"{CONFIG_MAPS}?limit=2&continue={token}")
        names += [item["metadata"]["name"] for item in body["items"]]
        token = body["metadata"].get("continue", "")
    assert names == [*(f"c{number}" for number in range(5)), "kube-root-ca.crt"]
    assert token == ""


async def watched(cluster: Cluster, path: str, count: int) -> list[tuple[str, str]]:
    """The next ``count`` events of a watch as (type, name)."""
    async with cluster.client.get(path) as response, asyncio.timeout(5):
        lines = [json.loads(await response.content.readline()) for _ in range(count)]
    return [(line["type"], line["object"]["metadata"]["name"]) for line in lines]


async def test_watch_without_a_version_begins_with_what_is_there(cluster: Cluster) -> None:
    await cluster.call("POST", CONFIG_MAPS, config_map("x"))
    assert await watched(cluster, f"{CONFIG_MAPS}?watch=1", 2) == [("ADDED", "kube-root-ca.crt"), ("ADDED", "x")]


async def test_watch_from_a_version_gives_what_came_after_it(cluster: Cluster) -> None:
    _, first = await cluster.call("POST", CONFIG_MAPS, config_map("x"))
    version = first["metadata"]["resourceVersion"]
    await cluster.call("PATCH", f"{CONFIG_MAPS}/x", {"data": {"b": "2"}}, content_type="application/merge-patch+json")
    await cluster.call("DELETE", f"{CONFIG_MAPS}/x")
    events = await watched(cluster, f"{CONFIG_MAPS}?watch=true&resourceVersion={version}", 2)
    assert events == [("MODIFIED", "x"), ("DELETED", "x")]


async def test_a_watch_by_selector_sees_objects_enter_and_leave(cluster: Cluster) -> None:
    _, listed = await cluster.call("GET", CONFIG_MAPS)
    for labels in ({}, {"in": "yes"}, {"in": "yes", "more": "x"}, {"in": None}):
        if not labels:
            await cluster.call("POST", CONFIG_MAPS, config_map("x"))
        else:
            change = {"metadata": {"labels": labels}}
            await cluster.call("PATCH", f"{CONFIG_MAPS}/x", change, content_type="application/merge-patch+json")
    version = listed["metadata"]["resourceVersion"]
    path = f"{CONFIG_MAPS}?watch=1&labelSelector=in=yes&resourceVersion={version}"
    assert await watched(cluster, path, 3) == [("ADDED", "x"), ("MODIFIED", "x"), ("DELETED", "x")]


async def test_watch_ends_after_its_timeout(cluster: Cluster) -> None:
    async with cluster.client.get(f"{PODS}?watch=1&timeoutSeconds=1") as response:
        assert await response.read() == b""


async def test_a_pod_on_a_node_is_deleted_in_two_steps(cluster: Cluster) -> None:
    await cluster.call("POST", PODS, pod("p"))
    bound = cluster.store.get("pods", "default", "p")
    bound["spec"]["nodeName"] = "node1"
    cluster.store.update("pods", bound)
    code, body = await cluster.call("DELETE", f"{PODS}/p?gracePeriodSeconds=7")
    assert (code, body["metadata"]["deletionGracePeriodSeconds"]) == (200, 7)
    assert cluster.store.get("pods", "default", "p")["metadata"]["deletionTimestamp"]
    await cluster.call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 0})
    assert cluster.store.list("pods") == []


async def test_a_pod_without_a_node_is_deleted_at_once(cluster: Cluster) -> None:
    await cluster.call("POST", PODS, pod("p"))
    await cluster.call("DELETE", f"{PODS}/p")
    assert cluster.store.list("pods") == []


async def test_delete_collection_takes_what_the_selector_names(cluster: Cluster) -> None:
    for name, color in (("x", "red"), ("y", "blue")):
        await cluster.call("POST", CONFIG_MAPS, config_map(name, color=color))
    code, body = await cluster.call("DELETE", f"{CONFIG_MAPS}?labelSelector=color=red")
    assert (code, body["kind"], len(body["items"])) == (200, "ConfigMapList", 1)
    code, body = await cluster.call("GET", f"{CONFIG_MAPS}/x")
    assert (code, body["reason"]) == (404, "NotFound")


async def test_other_kinds_answer_a_delete_with_a_status(cluster: Cluster) -> None:
    _, made = await cluster.call("POST", CONFIG_MAPS, config_map("x"))
    code, body = await cluster.call("DELETE", f"{CONFIG_MAPS}/x")
    details = {"name": "x", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert (code, body["status"], body["details"]) == (200, "Success", details)


async def test_dry_run_changes_nothing(cluster: Cluster) -> None:
    assert (await cluster.call("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("x")))[0] == 201
    assert (await cluster.call("GET", f"{CONFIG_MAPS}/x"))[0] == 404
    await cluster.call("POST", CONFIG_MAPS, config_map("x"))
    change = {"data": {"a": "2"}}
    _, body = await cluster.call(
        "PATCH", f"{CONFIG_MAPS}/x?dryRun=All", change, content_type="application/merge-patch+json"
    )
    assert body["data"] == {"a": "2"}
    assert cluster.store.get("configmaps", "default", "x")["data"] == {"a": "1"}
    assert (await cluster.call("DELETE", f"{CONFIG_MAPS}/x?dryRun=All"))[0] == 200
    assert (await cluster.call("GET", f"{CONFIG_MAPS}/x"))[0] == 200


async def test_put_is_locked_by_the_version(cluster: Cluster) -> None:
    _, made = await cluster.call("POST", CONFIG_MAPS, config_map("x"))
    code, new = await cluster.call("PUT", f"{CONFIG_MAPS}/x", made | {"data": {"a": "2"}})
    assert (code, new["data"]) == (200, {"a": "2"})
    code, body = await cluster.call("PUT", f"{CONFIG_MAPS}/x", made | {"data": {"a": "3"}})
    assert (code, body["reason"]) == (409, "Conflict")
    assert "the object has been modified" in body["message"]


async def test_status_is_written_through_its_subresource_alone(cluster: Cluster) -> None:
    _, made = await cluster.call("POST", PODS, pod("p"))
    made["status"]["phase"] = "Running"
    await cluster.call("PUT", f"{PODS}/p", made)
    assert cluster.store.get("pods", "default", "p")["status"]["phase"] == "Pending"
    await cluster.call("PUT", f"{PODS}/p/status", made)
    assert cluster.store.get("pods", "default", "p")["status"]["phase"] == "Running"


async def test_unknown_fields_are_warned_of(cluster: Cluster) -> None:
    body = config_map("x") | {"dta": {}}
    async with cluster.client.post(CONFIG_MAPS, json=body) as response:
        assert response.headers.getall("Warning") == ['299 - "unknown field \\"dta\\""']
        assert "dta" not in await response.json()


async def test_log_options_reach_the_kubelet_and_chunks_the_client(cluster: Cluster) -> None:
    await cluster.call("POST", PODS, pod("p"))
    bound = cluster.store.get("pods", "default", "p")
    bound["spec"]["nodeName"] = "node1"
    cluster.store.update("pods", bound)
    cluster.kubelet.log_chunks = [b"one\n", b"two\n"]
    query = "previous=true&follow=true&tailLines=3&sinceSeconds=4&timestamps=1&limitBytes=5"
    async with cluster.client.get(f"{PODS}/p/log?{query}") as response:
        assert (response.content_type, await response.read()) == ("text/plain", b"one\ntwo\n")
    options: dict[str, Any] = {"tail_lines": 3, "since_seconds": 4, "limit_bytes": 5}
    flags = {"previous": True, "follow": True, "timestamps": True}
    assert cluster.kubelet.calls == [{"pod": "p", "container": "a"} | options | flags]


async def test_a_pod_without_a_node_has_an_empty_log(cluster: Cluster) -> None:
    await cluster.call("POST", PODS, pod("p"))
    async with cluster.client.get(f"{PODS}/p/log") as response:
        assert (response.status, await response.read()) == (200, b"")


@pytest.mark.parametrize(
    "accept", ["application/json", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"]
)
async def test_both_forms_of_discovery_name_the_same_resources(cluster: Cluster, accept: str) -> None:
    if "as=" in accept:
        _, body = await cluster.call("GET", "/apis", accept=accept)
        apps = next(group for group in body["items"] if group["metadata"]["name"] == "apps")
        names = {resource["resource"] for resource in apps["versions"][0]["resources"]}
    else:
        _, body = await cluster.call("GET", "/apis/apps/v1", accept=accept)
        names = {resource["name"] for resource in body["resources"] if "/" not in resource["name"]}
    assert names == {"daemonsets", "deployments", "replicasets", "statefulsets"}


@pytest.mark.parametrize("path", ["/api/v1/pods/x", "/apis/apps/v1/namespaces/default/ships"])
async def test_a_resource_that_a_known_group_does_not_have(cluster: Cluster, path: str) -> None:
    code, body = await cluster.call("GET", path)
    assert (code, body["reason"]) == (404, "NotFound")


@pytest.mark.parametrize(
    "path",
    [
        "/apis/nope",
        "/apis/nope/v1",
        "/apis/monitoring.coreos.com/v1/namespaces/default/podmonitors",
        "/api/v2/pods",
        "/nope",
        "/openapi/v3/x",
    ],
)
async def test_a_path_that_is_not_served_is_answered_in_plain_text(cluster: Cluster, path: str) -> None:
    async with cluster.client.get(path) as response:
        assert (response.status, response.content_type) == (404, "text/plain")
        assert await response.text() == "404 page not found\n"


async def test_events_are_shown_in_both_groups(cluster: Cluster) -> None:
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "p"},
        "message": "text",
        "reason": "Because",
    }
    cluster.store.create("events", event)
    _, old = await cluster.call("GET", "/api/v1/namespaces/default/events/e")
    _, new = await cluster.call("GET", "/apis/events.k8s.io/v1/namespaces/default/events/e")
    assert (old["message"], new["note"]) == ("text", "text")
    assert new["regarding"] == old["involvedObject"]


async def test_a_name_can_be_generated(cluster: Cluster) -> None:
    body = config_map("") | {"metadata": {"generateName": "made-"}}
    _, made = await cluster.call("POST", CONFIG_MAPS, body)
    assert made["metadata"]["name"].startswith("made-") and len(made["metadata"]["name"]) == 10


async def test_services_get_addresses_of_their_own(cluster: Cluster) -> None:
    found = set()
    for name in ("x", "y"):
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}
        _, made = await cluster.call("POST", "/api/v1/namespaces/default/services", service)
        found.add(made["spec"]["clusterIP"])
        assert made["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert len(found) == 2 and all(address.startswith("10.96.") for address in found)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            {"app": "y"},
            'spec.template.metadata.labels: Invalid value: {"app": "y"}: `selector` does not match template `labels`',
        ),
    ],
)
async def test_a_deployment_must_select_its_own_pods(cluster: Cluster, labels: dict[str, str], message: str) -> None:
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": labels}, "spec": pod("p")["spec"]},
        },
    }
    code, answer = await cluster.call("POST", "/apis/apps/v1/namespaces/default/deployments", body)
    assert (code, answer["message"]) == (422, f'Deployment.apps "d" is invalid: {message}')
