"""What explains a container that cannot be started is looked up, and no login and no value is kept of it."""

import base64
import json
from typing import Any

from rescue.surroundings import add_surroundings

from .test_gather import Cluster, named


def pod(**spec: Any) -> Any:
    return {"metadata": {"name": "web-0", "namespace": "shop"}, "spec": {"containers": [], **spec}}


def read(**objects: Any) -> Any:
    return {"configMaps": {}, "secrets": {}, "persistentVolumeClaims": {}, "unreadable": {}, **objects}


def surroundings(cluster: Any, which: Any, objects: Any) -> Any:
    add_surroundings(cluster, which, objects)
    return objects


def login(content: Any, field: str = ".dockerconfigjson") -> Any:
    data = {field: base64.b64encode(json.dumps(content).encode()).decode()}
    return named("login", type="kubernetes.io/dockerconfigjson", data=data)


def variable(name: str, **more: Any) -> Any:
    return {"name": "A", "valueFrom": {"configMapKeyRef": {"name": name, "key": "a", **more}}}


def test_the_names_of_what_is_there_are_listed_where_something_lacks() -> None:
    cluster = Cluster(configmaps=[named("settings", data={"a": "1"}), named("other")], secrets=[named("s")])
    found = surroundings(cluster, pod(containers=[{"name": "a", "env": [variable("setings")]}]), read())
    assert found["names"] == {"configMaps": ["other", "settings"]}


def test_nothing_is_listed_for_what_is_there_or_optional() -> None:
    cluster = Cluster(forbidden=("configmaps",))
    which = pod(containers=[{"name": "a", "env": [variable("there"), variable("gone", optional=True)]}])
    assert surroundings(cluster, which, read(configMaps={"there": ["a"]}))["names"] == {}


def test_a_list_that_is_refused_leaves_only_a_similar_name_unknown() -> None:
    which = pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "dta"}}])
    found = surroundings(Cluster(forbidden=("persistentvolumeclaims",)), which, read())
    assert found["names"] == {"persistentVolumeClaims": []}
    assert found["unreadable"] == {}


def test_of_a_pull_secret_only_the_registries_are_kept() -> None:
    secret = login({"auths": {"ghcr.io": {"auth": "c2VjcmV0"}, "example.com": {"password": "c2VjcmV0"}}})
    which = pod(imagePullSecrets=[{"name": "login"}, {"name": "gone"}])
    found = surroundings(Cluster(secrets=[secret, named("logon")]), which, read())
    expected = {"type": "kubernetes.io/dockerconfigjson", "registries": ["example.com", "ghcr.io"]}
    assert found["imagePullSecrets"] == {"login": expected}
    assert found["names"] == {"secrets": ["login", "logon"]}
    assert "c2VjcmV0" not in json.dumps(found)


def test_the_old_form_of_a_pull_secret_is_read_and_a_broken_one_has_no_registry() -> None:
    which = pod(imagePullSecrets=[{"name": "login"}])
    old = surroundings(Cluster(secrets=[login({"quay.io": {"auth": "x"}}, ".dockercfg")]), which, read())
    assert old["imagePullSecrets"]["login"]["registries"] == ["quay.io"]
    for broken in ("%%%", base64.b64encode(b"no JSON").decode(), base64.b64encode(b"[1]").decode()):
        secret = named("login", data={".dockerconfigjson": broken})
        assert surroundings(Cluster(secrets=[secret]), which, read())["imagePullSecrets"]["login"]["registries"] == []


def test_a_pull_secret_that_may_not_be_read_is_said() -> None:
    found = surroundings(Cluster(forbidden=("secrets",)), pod(imagePullSecrets=[{"name": "login"}]), read())
    assert found["unreadable"] == {"imagePullSecrets": "secrets is forbidden"}


def test_the_story_of_a_claim_that_is_not_bound_is_kept() -> None:
    def event(time: str, text: str) -> Any:
        return named(text, reason="ProvisioningFailed", message=text, lastTimestamp=time)

    cluster = Cluster(events=[event("2026-01-02T00:00:00Z", "late"), event("2026-01-01T00:00:00Z", "early")])
    claims = {"data": {"phase": "Pending"}, "logs": {"phase": "Bound"}}
    found = surroundings(cluster, pod(), read(persistentVolumeClaims=claims))["persistentVolumeClaims"]
    assert found["data"]["events"] == ["ProvisioningFailed: early", "ProvisioningFailed: late"]
    assert "events" not in found["logs"]
