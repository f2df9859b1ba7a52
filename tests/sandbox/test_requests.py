"""The requests recorded on a real 1.36 API server, sent in the same order: code, reason, message, defaults."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rescue.sandbox.kubelet import LogError
from rescue.sandbox.objects import Object
from tests.sandbox.fakes import Cluster, started

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "requests.json").read_text("utf-8"))

# What differs by design, by title; only what is named is left out of the comparison.
SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "resourceVersion", "managedFields")
# Go's dump of the internal structs follows the first line of these messages.
GO_DIFF = {"json patch: immutable field", "ephemeralContainers through the pod itself"}
# The kubelet wrote these; the fake one is told to.
OF_THE_KUBELET = {
    "previous log that does not exist": 'previous terminated container "a" in pod "t" not found',
    "log of a pod that waits for its image": (
        'container "a" in pod "image-pull" is waiting to start: trying and failing to pull image'
    ),
    "log of app container while init crashes": (
        'container "app" in pod "init-crash" is waiting to start: PodInitializing'
    ),
}


def pod(name: str, namespace: str, **spec: object) -> Object:
    containers = [{"name": "a", "image": "busybox:1.36", "resources": {}}]
    metadata = {"name": name, "namespace": namespace}
    full = {"nodeName": "node1", "containers": containers} | spec
    status = {"phase": "Running", "containerStatuses": [{"name": "a", "ready": True, "state": {"running": {}}}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": full, "status": status}


def furnish(cluster: Cluster) -> None:
    """The namespaces, policies and pods that the recording found."""
    for name in ("rec", "rec2", "rec-quota"):
        cluster.namespace(name)
    for level in ("restricted", "baseline"):
        cluster.namespace(f"rec-{level}", **{"pod-security.kubernetes.io/enforce": level})
    limits = {"type": "Container", "default": {"memory": "128Mi"}, "max": {"memory": "512Mi"}}
    item = limits | {"defaultRequest": {"memory": "64Mi"}}
    store(cluster, "limitranges", "LimitRange", "rec2", "l", {"limits": [item]})
    store(cluster, "resourcequotas", "ResourceQuota", "rec-quota", "q", {"hard": {"pods": "0", "limits.memory": "1Gi"}})
    init = [{"name": "init", "image": "busybox:1.36", "resources": {}}]
    app = [{"name": "app", "image": "busybox:1.36", "resources": {}}]
    cluster.store.create("pods", pod("sidecar", "rec", initContainers=init))
    cluster.store.create("pods", pod("init-crash", "rec", initContainers=init, containers=app))
    for name in ("agent-cms5z", "child-oom", "image-pull"):
        cluster.store.create("pods", pod(name, "rec"))
    for number in range(19):
        cluster.store.create("pods", pod(f"other-{number:02}", "rec"))


def store(cluster: Cluster, resource: str, kind: str, namespace: str, name: str, spec: Object) -> None:
    metadata = {"name": name, "namespace": namespace}
    cluster.store.create(resource, {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec})


async def send(cluster: Cluster, request: dict[str, Any]) -> tuple[int, str]:
    body = request["body"]
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    headers = {"Content-Type": request["contentType"]} if request["contentType"] else {}
    async with cluster.client.request(
        request["method"], request["path"], data=text, headers=headers | (request["headers"] or {})
    ) as response:
        return response.status, await response.text()


def schedule(cluster: Cluster, title: str) -> None:
    """The recorded pod ran on a node when it was deleted."""
    if title == "create for real":
        made = cluster.store.get("pods", "rec2", "t")
        made["spec"]["nodeName"] = "node1"
        cluster.store.update("pods", made)


def comparable(body: Object, title: str) -> Object:
    """The answer without what differs from run to run."""
    if body.get("kind") == "Table":
        return {key: [row["cells"][:3] for row in body["rows"]] if key == "rows" else body[key] for key in TABLE}
    body = json.loads(json.dumps(body))
    meta = body.get("metadata", {})
    for field in SERVER_OWNED:
        meta.pop(field, None)
    if body.get("kind") == "Pod":
        spec_without_names(body["spec"])
        body["status"] = {"qosClass": body["status"]["qosClass"]}
    if body.get("kind") == "Status" and title in GO_DIFF:
        body["message"] = body["message"].partition("\n")[0]
        body["details"]["causes"][0]["message"] = body["details"]["causes"][0]["message"].partition("\n")[0]
    return numberless(body) if body.get("kind") == "Status" else body


TABLE = ("kind", "apiVersion", "columnDefinitions", "rows")


def numberless(body: Object) -> Object:
    """uids and versions in messages differ from run to run."""
    uid = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    body["message"] = re.sub(uid, "UID", body["message"])
    body["message"] = re.sub(r"(too old resource version: 1) \(\d+\)", r"\1", body["message"])
    return body


def spec_without_names(spec: Object) -> None:
    spec.pop("nodeName", None)
    for volume in spec.get("volumes", []):
        if volume["name"].startswith("kube-api-access-"):
            volume["name"] = "kube-api-access"
            # The recording is of an OpenShift build, which adds one more source.
            sources = volume["projected"]["sources"]
            sources[:] = [s for s in sources if s.get("configMap", {}).get("name") != "openshift-service-ca.crt"]
    for container in spec["containers"]:
        for mount in container.get("volumeMounts", []):
            if mount["name"].startswith("kube-api-access-"):
                mount["name"] = "kube-api-access"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answers() -> list[tuple[int, str]]:
    """All requests are sent once, in order: later ones build on earlier ones."""
    cluster = await started()
    furnish(cluster)
    found = []
    try:
        for entry in RECORDED:
            message = OF_THE_KUBELET.get(entry["title"])
            cluster.kubelet.log_error = LogError(400, "BadRequest", message) if message else None
            cluster.kubelet.log_chunks = [b"cat: can't open '/etc/shadow-config': No such file or directory\n"]
            found.append(await send(cluster, entry["request"]))
            schedule(cluster, entry["title"])
    finally:
        await cluster.client.close()
    return found


@pytest.mark.parametrize("number", range(len(RECORDED)), ids=[entry["title"] for entry in RECORDED])
def test_recorded_request(answers: list[tuple[int, str]], number: int) -> None:
    title, expected = RECORDED[number]["title"], RECORDED[number]["response"]
    code, text = answers[number]
    assert code == expected["code"], text
    if isinstance(expected["body"], str):
        assert text == expected["body"]
    elif title == "version":
        assert {key: json.loads(text)[key] for key in ("major", "minor")} == {"major": "1", "minor": "36"}
    elif "type" in expected["body"]:
        event = json.loads(text)
        assert event["type"] == expected["body"]["type"]
        assert comparable(event["object"], title) == comparable(expected["body"]["object"], title)
    else:
        assert comparable(json.loads(text), title) == comparable(expected["body"], title)
