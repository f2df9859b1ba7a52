"""What the cluster tells is written down, what it refuses is named, and no value of a Secret is kept."""

import json
from pathlib import Path
from typing import Any

from rescue.case import Case
from rescue.gather import gather, related_objects
from rescue.kube.errors import ClusterError
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
