"""What the cluster tells is written down, what it refuses is named, and no value of a Secret is kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from rescue.case import Case
from rescue.gather import find_owner, gather, related_objects
from rescue.kube.errors import ClusterError
from rescue.model import Owner
from rescue.triage import choose_target

from .recorded import recorded

REFUSED = ("events", "services", "configmaps", "pods/log")
LOST = recorded("oom")["logs"]["eater.previous"]["stdout"]


class Cluster:
    """Answers from tables; what is not in them does not exist, what is in ``forbidden`` is refused."""

    def __init__(self, forbidden: tuple[str, ...] = (), **lists: list[Any]) -> None:
        self.lists = lists
        self.forbidden = forbidden
        self.texts: dict[bool, str] = {False: "it runs\n", True: LOST}

    def _check(self, resource: str) -> None:
        if resource in self.forbidden:
            raise ClusterError(f"{resource} is forbidden", "", 403)

    def list(self, resource: str, _namespace: str, **_query: str) -> Any:
        self._check(resource)
        return self.lists.get(resource, [])

    def get(self, resource: str, _namespace: str, name: str) -> Any:
        self._check(resource)
        for item in self.lists.get(resource, []):
            if item["metadata"]["name"] == name:
                return item
        raise ClusterError(f'{resource} "{name}" not found', "", 404)

    def names(self, resource: str, namespace: str) -> Any:
        return [item["metadata"]["name"] for item in self.list(resource, namespace)]

    def logs(self, _namespace: str, _pod: str, _container: str, previous: bool, _lines: int) -> str:
        self._check("pods/log")
        return self.texts[previous]


def named(name: str, **more: Any) -> Any:
    return {"metadata": {"name": name}, **more}


def gathered(folder: Path, cluster: Any) -> Case:
    pod = recorded("oom")["last"]
    case = Case.create(folder / "case")
    gather(cluster, case, pod, choose_target(pod, None, None))
    return case


def test_the_kubelets_excuse_for_a_lost_log_is_no_log(tmp_path: Path) -> None:
    assert LOST.startswith("unable to retrieve container logs")
    case = gathered(tmp_path, Cluster())
    assert case.bytes("logs/eater.log") == b"it runs\n"
    assert not (case.path / "logs/eater.previous.log").exists()


def test_what_may_not_be_read_is_said(tmp_path: Path) -> None:
    case = gathered(tmp_path, Cluster(forbidden=REFUSED))
    unreadable = json.loads(case.bytes("objects.json"))["unreadable"]
    assert unreadable == {name: f"{name} is forbidden" for name in REFUSED}


def test_only_the_keys_of_a_secret_are_kept() -> None:
    pod: Any = {
        "metadata": {"namespace": "shop"},
        "spec": {
            "containers": [
                {"name": "web", "envFrom": [{"secretRef": {"name": "env"}}]},
                {"name": "log", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "a"}}}]},
            ],
            "volumes": [
                {"name": "tls", "secret": {"secretName": "tls"}},
                {"name": "all", "projected": {"sources": [{"configMap": {"name": "settings"}}]}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "books"}},
            ],
        },
    }
    secrets = [named("env", data={"TOKEN": "c2VjcmV0"}), named("tls", data={"tls.key": "c2VjcmV0", "tls.crt": "x"})]
    maps = [named("settings", data={"a": "1"}, binaryData={"b": "AA=="})]
    claims = [named("books", spec={"accessModes": ["ReadWriteOnce"]}, status={"phase": "Bound"})]
    cluster: Any = Cluster(secrets=secrets, configmaps=maps, persistentvolumeclaims=claims)
    objects = related_objects(cluster, pod)
    assert objects["secrets"] == {"env": ["TOKEN"], "tls": ["tls.crt", "tls.key"]}
    assert objects["configMaps"] == {"settings": ["a", "b"]}
    assert objects["persistentVolumeClaims"]["books"]["phase"] == "Bound"
    assert "c2VjcmV0" not in json.dumps(objects)


def controlled(kind: str, version: str, by: str, name: str = "a") -> Any:
    owner = {"apiVersion": version, "kind": kind, "name": by, "uid": "1", "controller": True}
    return {"metadata": {"name": name, "namespace": "shop", "ownerReferences": [owner]}}


@pytest.mark.parametrize(
    ("kind", "version", "owner"),
    [
        ("Job", "batch/v1", Owner("CronJob", "nightly")),
        ("Job", "batch.volcano.sh/v1alpha1", Owner("Job", "report")),  # not the cluster's Job of the same name
        ("StatefulSet", "apps/v1", Owner("StatefulSet", "report")),
    ],
)
def test_the_owner_of_an_owner_is_looked_up_in_its_own_api_group(kind: str, version: str, owner: Owner) -> None:
    cluster: Any = Cluster(jobs=[controlled("CronJob", "batch/v1", "nightly", name="report")])
    assert find_owner(cluster, controlled(kind, version, "report")) == owner


def test_an_owner_that_may_not_be_read_is_the_owner_and_some_pods_have_none() -> None:
    cluster: Any = Cluster(forbidden=("replicasets",))
    assert find_owner(cluster, controlled("ReplicaSet", "apps/v1", "web-1")) == Owner("ReplicaSet", "web-1")
    assert find_owner(cluster, {"metadata": {"name": "a", "namespace": "shop"}}) is None
