"""What a clone can still do to others, and cannot keep, is said."""

from typing import Any

import pytest

from rescue.concerns import concerns
from rescue.model import JsonObject

POD: JsonObject = {
    "metadata": {"name": "shop", "labels": {"app": "shop", "zone": "a"}},
    "spec": {"containers": [{"name": "web"}, {"name": "log"}]},
}


def said(spec: dict[str, Any], pod: JsonObject = POD, labels: JsonObject | None = None) -> list[str]:
    annotations = {"rescue.dev/source-container": "web"}
    kept = pod["metadata"]["labels"] if labels is None else labels
    clone = {"metadata": {"labels": kept, "annotations": annotations}, "spec": {**pod["spec"], **spec}}
    return concerns(pod, clone)


def host_path(path: str) -> dict[str, Any]:
    return {"volumes": [{"name": "v", "hostPath": {"path": path}}]}


@pytest.mark.parametrize("path", ["/", "/var", "/run", "/run/", "/var/run", "/run/containerd", "/var/run/secrets"])
def test_a_folder_of_the_node_that_holds_sockets_or_mounts_below_it(path: str) -> None:
    (sentence,) = said(host_path(path))
    assert f"sees {path} of its node" in sentence
    assert "mounted below it may be written to" in sentence


def test_a_socket_of_the_node() -> None:
    (sentence,) = said(host_path("/srv/agent.sock"))
    assert "can talk to its node through /srv/agent.sock" in sentence


@pytest.mark.parametrize("path", ["/runner-cache", "/var/lib/shop", "/etc"])
def test_another_folder_of_the_node_is_no_concern(path: str) -> None:
    assert said(host_path(path)) == []


def test_the_network_of_the_node_and_privileges() -> None:
    (network,) = said({"hostNetwork": True})
    assert "neither can open while the other has it" in network
    (privileged,) = said({"containers": [{"name": "web", "securityContext": {"privileged": True}}]})
    assert "web is privileged" in privileged


def test_a_claim_that_the_clone_writes_to() -> None:
    claim = {"claimName": "data"}
    (sentence,) = said({"volumes": [{"name": "v", "persistentVolumeClaim": claim}]})
    assert "writes to claim data" in sentence
    assert said({"volumes": [{"name": "v", "persistentVolumeClaim": {**claim, "readOnly": True}}]}) == []


@pytest.mark.parametrize(("policy", "count"), [("Never", 1), ("OnFailure", 1), ("Always", 0)])
def test_a_companion_that_runs_once_in_the_original(policy: str, count: int) -> None:
    pod = {**POD, "spec": {**POD["spec"], "restartPolicy": policy}}
    found = said({"restartPolicy": "Always"}, pod)
    assert ["container log starts again" in sentence for sentence in found] == [True] * count
    assert said({"containers": [{"name": "web"}, {"name": "rescue-keeper"}]}, pod) == []


@pytest.mark.parametrize("path", ["metadata.labels", "metadata.labels['app']"])
@pytest.mark.parametrize("projected", [False, True])
def test_a_file_that_tells_a_label_which_the_clone_lost(path: str, projected: bool) -> None:
    told = {"downwardAPI": {"items": [{"path": "app", "fieldRef": {"fieldPath": path}}]}}
    volume = {"name": "info", **({"projected": {"sources": [told]}} if projected else told)}
    (sentence,) = said({"volumes": [volume]}, labels={"zone": "a"})
    assert sentence == "volume info tells the clone's labels, without the original's app"
    assert said({"volumes": [volume]}) == []
