"""Kinds that a CustomResourceDefinition brings: served once it is there, gone with it."""

import json

from rescue.sandbox.controllers import settle
from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store
from tests.sandbox.fakes import Cluster
from tests.sandbox.plain import create
from tests.sandbox.test_kubectl import Kubectl, kubectl

__all__ = ["kubectl"]

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "/apis/monitoring.coreos.com/v1"
MONITORS = f"{GROUP}/namespaces/default/podmonitors"
MONITOR: Object = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "PodMonitor",
    "metadata": {"name": "shop"},
    "spec": {"selector": {"matchLabels": {"app": "shop"}}, "podMetricsEndpoints": [{"port": "web"}]},
}


def definition(**more: object) -> Object:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"plural": "podmonitors", "kind": "PodMonitor", "shortNames": ["pmon"]}
    spec = {"group": "monitoring.coreos.com", "names": names, "scope": "Namespaced", "versions": [version]}
    return {"metadata": {"name": "podmonitors.monitoring.coreos.com"}, "spec": spec | more}


async def test_a_kind_is_served_from_its_definition_to_its_deletion(cluster: Cluster) -> None:
    assert (await cluster.call("POST", DEFINITIONS, definition()))[0] == 201
    assert (await cluster.call("POST", MONITORS, MONITOR))[0] == 201
    _, listed = await cluster.call("GET", MONITORS)
    assert (listed["kind"], [item["spec"] for item in listed["items"]]) == ("PodMonitorList", [MONITOR["spec"]])
    _, everywhere = await cluster.call("GET", f"{GROUP}/podmonitors?labelSelector=a=b")
    assert everywhere["items"] == []
    change = {"spec": {"selector": {"matchLabels": {"app": None}}}}
    _, patched = await cluster.call("PATCH", f"{MONITORS}/shop", change, content_type="application/merge-patch+json")
    assert (patched["spec"]["selector"], patched["metadata"]["generation"]) == ({"matchLabels": {}}, 2)
    await cluster.call("DELETE", f"{DEFINITIONS}/podmonitors.monitoring.coreos.com")
    settle(cluster.store)
    async with cluster.client.get(MONITORS) as response:
        assert response.status == 404
    assert cluster.store.list("podmonitors.monitoring.coreos.com") == []


async def test_a_custom_object_has_no_strategic_merge(cluster: Cluster) -> None:
    await cluster.call("POST", DEFINITIONS, definition())
    await cluster.call("POST", MONITORS, MONITOR)
    kind = "application/strategic-merge-patch+json"
    assert (await cluster.call("PATCH", f"{MONITORS}/shop", {}, content_type=kind))[0] == 415


async def test_a_definition_that_cannot_be_served_is_refused(cluster: Cluster) -> None:
    code, body = await cluster.call("POST", DEFINITIONS, definition(group="example.com"))
    assert (code, 'must be spec.names.plural+"."+spec.group' in body["message"]) == (422, True)


async def test_kubectl_finds_it_and_writes_it(kubectl: Kubectl) -> None:
    defined = definition() | {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    await kubectl("apply", "-f", "-", stdin=json.dumps(defined))
    assert await kubectl("apply", "-f", "-", stdin=json.dumps(MONITOR)) == (
        "podmonitor.monitoring.coreos.com/shop created\n"
    )
    assert await kubectl("get", "pmon", "-o", "name") == "podmonitor.monitoring.coreos.com/shop\n"
    assert "podmonitors" in await kubectl("api-resources", "--api-group=monitoring.coreos.com")


def test_custom_objects_go_with_their_owner(store: Store) -> None:
    create(store, "customresourcedefinitions", definition()["metadata"]["name"], definition()["spec"])
    uid = "a-pod-that-is-gone"
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": uid}
    meta = {"name": "x", "namespace": "default", "ownerReferences": [owner]}
    store.create("podmonitors.monitoring.coreos.com", {"kind": "PodMonitor", "metadata": meta})
    settle(store)
    assert store.list("podmonitors.monitoring.coreos.com") == []
