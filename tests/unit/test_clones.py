"""What was left is listed and deleted; what is not ours, or not asked for, stays; one failure stops nobody else."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rescue import clone, clones
from rescue.account import current_user
from rescue.cli import clones as commands
from rescue.cli import main
from rescue.errors import RescueError
from rescue.kube.errors import ClusterError

LABEL = {"app.kubernetes.io/managed-by": "rescue"}


def pod(source: str, namespace: str = "shop", user: str = "", hours: float = 1) -> Any:
    """A clone of ``source`` that was made an hour before it expires, ``hours`` from now."""
    expires = datetime.now(UTC) + timedelta(hours=hours)
    annotations = {
        "rescue.dev/source-pod": source,
        "rescue.dev/source-uid": "",
        "rescue.dev/source-container": "web",
        "rescue.dev/user": user or current_user(),
        "rescue.dev/expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    metadata = {
        "name": f"rescue-{source}-x2b4c",
        "namespace": namespace,
        "uid": f"uid-{namespace}-{source}",
        "resourceVersion": "1",
        "creationTimestamp": (expires - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "labels": LABEL,
        "annotations": annotations,
    }
    return {"metadata": metadata, "spec": {}, "status": {"phase": "Running"}}


LOOK_ALIKE: Any = {"metadata": {"name": "rescue-web-x2b4c", "namespace": "shop", "labels": LABEL}}


class Cluster:
    """Pods that can be listed, fetched and deleted; deleting those in ``stubborn`` is forbidden."""

    namespace = "shop"

    def __init__(self, *pods: Any, stubborn: tuple[str, ...] = (), forbidden: str | None = None) -> None:
        self.pods = list(pods)
        self.stubborn = stubborn
        self.forbidden = forbidden
        self.deleted: list[str] = []
        self.lock = threading.Lock()

    def list(self, _resource: str, namespace: str, labelSelector: str) -> list[Any]:  # noqa: N803  # as in the API
        assert labelSelector == "app.kubernetes.io/managed-by=rescue"
        if self.forbidden == namespace:
            raise ClusterError("pods is forbidden", "kubectl auth can-i list pods -A", 403)
        return [item for item in self.pods if namespace in ("", item["metadata"]["namespace"])]

    def get(self, _resource: str, namespace: str, name: str) -> Any:
        for item in self.pods:
            if (item["metadata"]["namespace"], item["metadata"]["name"]) == (namespace, name):
                return item
        raise ClusterError("not found", "", 404)

    def delete(self, resource: str, namespace: str, name: str, uid: str) -> None:
        if name in self.stubborn:
            raise ClusterError(f"deleting {name} is forbidden", "", 403)
        with self.lock:
            item = self.get(resource, namespace, name)
            assert item["metadata"]["uid"] == uid
            self.pods.remove(item)
            self.deleted.append(name)


def run(monkeypatch: pytest.MonkeyPatch, cluster: Any, *arguments: str) -> Result:
    monkeypatch.setattr(commands, "connect", lambda _context, _namespace: cluster)
    return CliRunner().invoke(main, arguments)


def remaining(cluster: Cluster) -> list[str]:
    return [item["metadata"]["name"] for item in cluster.pods]


MINE, EXPIRED, THEIRS = pod("mine"), pod("old", user="kim@laptop", hours=-1), pod("new", user="kim@laptop")


@pytest.mark.parametrize(
    ("arguments", "deleted"),
    [
        ([], ["rescue-mine-x2b4c"]),
        (["--mine"], ["rescue-mine-x2b4c"]),
        (["--expired"], ["rescue-old-x2b4c"]),
        (["--all"], ["rescue-mine-x2b4c", "rescue-new-x2b4c", "rescue-old-x2b4c"]),
    ],
)
def test_what_is_asked_for_is_deleted(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], deleted: list[str]
) -> None:
    cluster = Cluster(MINE, EXPIRED, THEIRS, LOOK_ALIKE)
    result = run(monkeypatch, cluster, "clean", *arguments)
    assert (result.exit_code, sorted(cluster.deleted)) == (0, deleted)
    assert result.stdout.splitlines() == [f"deleted {name} in namespace shop" for name in deleted]
    assert "rescue-web-x2b4c" in remaining(cluster)


@pytest.mark.parametrize("command", ["ls", "clean"])
def test_a_look_alike_is_said_on_stderr_alone(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    cluster = Cluster(LOOK_ALIKE)
    result = run(monkeypatch, cluster, command)
    assert result.exit_code == 0
    assert (
        "pod rescue-web-x2b4c in namespace shop is left alone, though labelled: it has no annotation" in result.stderr
    )
    assert "rescue-web" not in result.stdout
    assert remaining(cluster) == ["rescue-web-x2b4c"]


def test_nothing_to_clean_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, Cluster(THEIRS), "clean")
    assert (result.exit_code, result.stdout) == (0, "nothing to clean\n")


def test_a_dry_run_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(MINE)
    result = run(monkeypatch, cluster, "clean", "--dry-run")
    assert (result.stdout, cluster.deleted) == ("would delete rescue-mine-x2b4c in namespace shop\n", [])


def test_one_that_stays_stops_no_other_and_is_4(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = [pod("a"), pod("b"), pod("c"), pod("d", namespace="web")]
    cluster = Cluster(*pods, stubborn=("rescue-a-x2b4c", "rescue-c-x2b4c", "rescue-d-x2b4c"))
    result = run(monkeypatch, cluster, "clean", "-A")
    assert (result.exit_code, cluster.deleted) == (4, ["rescue-b-x2b4c"])
    assert result.stdout == "deleted rescue-b-x2b4c in namespace shop\n"
    error, hint = result.stderr.splitlines()
    assert "deleting rescue-a-x2b4c is forbidden" in error
    commands = "kubectl delete pod rescue-a-x2b4c rescue-c-x2b4c -n shop && kubectl delete pod rescue-d-x2b4c -n web"
    assert hint.startswith(f"hint: {commands} ")


def test_clean_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(pod("a"), pod("b"), stubborn=("rescue-b-x2b4c",))
    result = run(monkeypatch, cluster, "clean", "-o", "json")
    document = json.loads(result.stdout)
    [left] = document.pop("left")
    assert left.pop("problem").endswith("deleting rescue-b-x2b4c is forbidden")
    assert left == {"namespace": "shop", "name": "rescue-b-x2b4c"}
    deleted = [{"namespace": "shop", "name": "rescue-a-x2b4c"}]
    assert document == {"schemaVersion": "rescue.dev/v1", "dryRun": False, "deleted": deleted}
    assert result.exit_code == 4


def test_a_pod_that_took_the_name_since_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster: Any = Cluster(pod("web"))
    [mark] = clones.find(cluster, everywhere=False).ours
    cluster.pods[0]["metadata"]["uid"] = "another"
    monkeypatch.setattr(cluster, "delete", lambda *_: (_ for _ in ()).throw(ClusterError("uid differs", "", 409)))
    assert clones.delete(cluster, [mark]) == [None]
    assert remaining(cluster) == ["rescue-web-x2b4c"]


def test_deletions_go_through_the_one_way_of_deleting_a_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(clone, "delete", lambda _cluster, made: asked.append(made))
    cluster: Any = Cluster(MINE)
    clones.delete(cluster, clones.find(cluster, everywhere=True).ours)
    assert asked == [clone.Clone("shop", "rescue-mine-x2b4c", "uid-shop-mine", "1")]


def test_without_the_permission_for_all_namespaces_one_is_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("ls", "clean"):
        result = run(monkeypatch, Cluster(forbidden=""), command, "-A")
        assert result.exit_code == 4
        assert "hint: name a namespace with -n instead of -A" in result.stderr
    with pytest.raises(RescueError) as raised:
        clones.find(Cluster(forbidden="shop"), everywhere=False)  # type: ignore[arg-type]
    assert raised.value.hint == "kubectl auth can-i list pods -A"


def test_the_list_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = [pod("web", user="kim@laptop", hours=10), pod("db", namespace="data", hours=-3), pod("api", hours=72)]
    head, *rows = run(monkeypatch, Cluster(*pods), "ls", "-A").stdout.splitlines()
    assert head.split() == ["NAMESPACE", "NAME", "PHASE", "SOURCE", "USER", "AGE", "EXPIRES"]
    assert [row.split()[:4] for row in rows] == [
        ["data", "rescue-db-x2b4c", "Running", "db/web"],
        ["shop", "rescue-api-x2b4c", "Running", "api/web"],
        ["shop", "rescue-web-x2b4c", "Running", "web/web"],
    ]
    assert [row.split()[4:] for row in rows] == [
        [current_user(), "4h", "expired"],
        [current_user(), "0s", "in", "2d"],
        ["kim@laptop", "0s", "in", "9h"],
    ]
    assert len({row.index("Running") for row in rows}) == 1


def test_the_list_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(run(monkeypatch, Cluster(MINE, EXPIRED), "ls", "-o", "json").stdout)
    assert document["schemaVersion"] == "rescue.dev/v1"
    mine, expired = document["clones"]
    assert (mine["mine"], mine["expired"], expired["mine"], expired["expired"]) == (True, False, False, True)
    assert mine["sourcePod"] == "mine"
    assert datetime.fromisoformat(mine["created"]) < datetime.fromisoformat(mine["expires"])


def test_an_empty_list_says_so_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, Cluster(), "ls")
    assert (result.stdout, result.stderr) == ("", "no clones in namespace shop\n")
    assert json.loads(run(monkeypatch, Cluster(), "ls", "-o", "json").stdout)["clones"] == []


@pytest.mark.parametrize(
    "arguments", [["ls", "-A", "-n", "x"], ["clean", "-A", "-n", "x"], ["clean", "--mine", "--all"], ["clean", "web"]]
)
def test_what_excludes_each_other_is_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2
