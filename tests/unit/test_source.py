"""The pod of a workload, a selector or a file is found, the choice is said, and none is refused with the reason."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.kube.errors import ClusterError
from rescue.model import Owner
from rescue.options import Options
from rescue.sandbox.selectors import labels_of, matches, parse_labels
from rescue.source import Source, find, from_file

LAST = {"terminated": {"exitCode": 3, "reason": "Error"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}


class Cluster:
    """A namespace from tables; it selects by label as a server does."""

    namespace = "prod"

    def __init__(self, **objects: list[Any]) -> None:
        self.objects = objects
        self.forbidden: tuple[str, ...] = ()
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, resource: str, namespace: str, name: str) -> Any:
        assert namespace == self.namespace
        for item in self.objects.get(resource, []):
            if item["metadata"]["name"] == name:
                return item
        raise ClusterError(f'{resource} "{name}" not found', f"see: kubectl get {resource} -A", 404)

    def list(self, resource: str, namespace: str, **query: str) -> Any:
        assert namespace == self.namespace
        self.asked.append((resource, query))
        if resource in self.forbidden:
            raise ClusterError(f"{resource} is forbidden", "", 403)
        if query.get("labelSelector") == "(":
            raise ClusterError("unable to parse requirement: found '('", "report this with --debug", 400)
        terms = parse_labels(query.get("labelSelector", ""))
        found = [item for item in self.objects.get(resource, []) if matches(terms, labels_of(item))]
        uid = query.get("fieldSelector", "").removeprefix("involvedObject.uid=").partition(",")[0]
        return [item for item in found if not uid or item["involvedObject"]["uid"] == uid]


def made(name: str, owner: str = "", labels: Any = None, **more: Any) -> Any:
    """An object whose uid is its name."""
    references = [{"kind": "Any", "name": owner, "uid": owner, "controller": True}] if owner else []
    metadata = {"name": name, "namespace": "prod", "uid": name, "labels": labels or {}, "ownerReferences": references}
    return {"metadata": metadata, "spec": {}, "status": {}, **more}


def pod(name: str, owner: str = "", labels: Any = None, restarts: int = 0) -> Any:
    """A pod that restarted so often, in back-off; a healthy one without restarts."""
    state: Any = {"state": BACK_OFF, "lastState": LAST} if restarts else {"state": {"running": {}}}
    status = {"phase": "Running", "containerStatuses": [{"name": "web", "restartCount": restarts, **state}]}
    spec = {"containers": [{"name": "web", "image": "shop:1"}]}
    return made(name, owner, labels, spec=spec, status=status)


def found(cluster: Any, name: str = "", **options: Any) -> Source:
    return find(cluster, Options(pod=name, **options))


def refused(cluster: Any, name: str = "", **options: Any) -> RescueError:
    with pytest.raises(RescueError) as raised:
        found(cluster, name, **options)
    return raised.value


APP = {"app": "shop"}
SELECTING = {"selector": {"matchLabels": APP}}


@pytest.fixture
def shop() -> Any:
    """A Deployment in the middle of a rollout; a bare pod that only has its labels, and another set's pod."""
    return Cluster(
        deployments=[made("shop", spec=SELECTING)],
        replicasets=[made("old", "shop", APP), made("new", "shop", APP), made("other", "", APP)],
        pods=[
            pod("old-1", "old", APP),
            pod("new-1", "new", APP, restarts=2),
            pod("new-2", "new", APP, restarts=4),
            pod("bare", "", APP, restarts=50),
            pod("other-1", "other", APP, restarts=60),
        ],
    )


def test_a_deployments_worst_pod_is_found_through_its_replica_sets(shop: Any) -> None:
    source = found(shop, "deploy/shop")
    assert source.pod["metadata"]["name"] == "new-2"
    assert source.choice == "pod new-2: the worst of 2 failing pods of Deployment shop (3 pods)"
    assert source.live
    assert list(source.pod)[:2] == ["apiVersion", "kind"], "which lists leave out, and kubectl apply needs"
    assert shop.asked == [(resource, {"labelSelector": "app=shop"}) for resource in ("replicasets", "pods")]


@pytest.mark.parametrize(
    ("word", "resource", "kind"),
    [
        ("rs", "replicasets", "ReplicaSet"),
        ("sts", "statefulsets", "StatefulSet"),
        ("ds", "daemonsets", "DaemonSet"),
        ("job", "jobs", "Job"),
    ],
)
def test_others_own_their_pods_themselves(word: str, resource: str, kind: str) -> None:
    pods = [pod("x-1", "x", APP, restarts=1), pod("x-2", "x", APP), pod("y-1", "y", APP, restarts=9)]
    cluster = Cluster(**{resource: [made("x", spec=SELECTING)]}, pods=pods)
    assert found(cluster, f"{word}/x").choice == f"pod x-1: the only failing pod of {kind} x (2 pods)"


def test_a_replication_controllers_selector_is_bare() -> None:
    cluster = Cluster(replicationcontrollers=[made("x", spec={"selector": APP})], pods=[pod("x-1", "x", APP, 1)])
    assert found(cluster, "rc/x").choice == "pod x-1: the only pod of ReplicationController x"


def test_a_cron_jobs_pods_are_those_of_its_jobs() -> None:
    jobs = [made("nightly-1", "nightly"), made("nightly-2", "nightly"), made("by-hand")]
    pods = [pod("a", "nightly-1", restarts=1), pod("b", "nightly-2", restarts=2), pod("c", "by-hand", restarts=9)]
    cluster = Cluster(cronjobs=[made("nightly")], jobs=jobs, pods=pods)
    assert found(cluster, "cj/nightly").pod["metadata"]["name"] == "b"


def test_a_name_alone_is_a_pods(shop: Any) -> None:
    assert found(shop, "old-1") == found(shop, "po/old-1")
    assert found(shop, "old-1").choice == ""


def test_an_unknown_name_is_the_servers_not_found(shop: Any) -> None:
    assert refused(shop, "sts/shop").message == 'statefulsets "shop" not found'
    error = refused(shop, "shop")
    assert (error.message, error.code) == ('pods "shop" not found', ExitCode.CLUSTER)
    assert error.hint.endswith("a workload is named with its kind, as in deploy/shop")


def test_when_none_fails_the_worst_refusal_is_said() -> None:
    cluster = Cluster(statefulsets=[made("db", spec=SELECTING)], pods=[pod(f"db-{n}", "db", APP) for n in range(3)])
    error = refused(cluster, "sts/db")
    assert error.code is ExitCode.REFUSED
    assert error.message.startswith("no pod of StatefulSet db can be rescued (3 pods): pod 'db-0' does not fail")


def test_a_workload_without_pods_says_why_and_names_the_way_around() -> None:
    event = {
        "metadata": {},
        "involvedObject": {"uid": "rs"},
        "reason": "FailedCreate",
        "message": "exceeded quota: small",
    }
    cluster = Cluster(
        deployments=[made("shop", spec={**SELECTING, "replicas": 2})],
        replicasets=[made("rs", "shop", APP)],
        events=[event, event, {**event, "involvedObject": {"uid": "another"}, "message": "no"}],
    )
    error = refused(cluster, "deploy/shop")
    assert error.message == "Deployment shop has no pods: FailedCreate: exceeded quota: small"
    assert error.code is ExitCode.REFUSED
    assert "kubectl get deploy shop -n prod -o yaml | rescue pod -f - -n prod" in error.hint


def test_a_workload_without_pods_whose_events_are_forbidden() -> None:
    cluster = Cluster(deployments=[made("shop", spec={**SELECTING, "replicas": 0})])
    cluster.forbidden = ("events",)
    message = refused(cluster, "deploy/shop").message
    assert message.endswith("it is scaled to 0 replicas; its events cannot be read: events is forbidden")


def test_a_workload_whose_status_says_nothing() -> None:
    assert refused(Cluster(daemonsets=[made("x")]), "ds/x").message.endswith("its status does not say why")


def ours(name: str, source: str, labels: Any) -> Any:
    clone = pod(name, "", {**labels, "app.kubernetes.io/managed-by": "rescue"}, restarts=99)
    marks = {"source-pod": source, "source-uid": "", "source-container": "web", "user": "a@b"}
    clone["metadata"]["annotations"] = {f"rescue.dev/{key}": value for key, value in marks.items()}
    clone["metadata"]["annotations"]["rescue.dev/expires"] = "2026-01-01T00:00:00Z"
    return clone


def test_a_selector_takes_the_worst_and_never_a_clone() -> None:
    cluster = Cluster(pods=[pod("a", "", APP, 1), pod("b", "", APP, 2), pod("c", "", {}, 3)])
    cluster.objects["pods"].append(ours("rescue-b-x2b4c", "b", APP))
    source = found(cluster, selector="app=shop")
    assert source.choice == "pod b: the worst of 2 failing pods matching 'app=shop' (2 pods)"


def test_a_selector_that_nothing_matches(shop: Any) -> None:
    error = refused(shop, selector="app=nope")
    assert (error.message, error.code) == ("no pod in namespace prod matches 'app=nope'", ExitCode.REFUSED)


def test_a_malformed_selector_is_told_in_the_servers_words(shop: Any) -> None:
    error = refused(shop, selector="(")
    assert (error.message, error.code) == ("unable to parse requirement: found '('", ExitCode.USAGE)
    assert "--debug" not in error.hint


def test_a_selector_that_may_not_be_asked_is_the_clusters_refusal(shop: Any) -> None:
    shop.forbidden = ("pods",)
    assert refused(shop, selector="app=shop").code is ExitCode.CLUSTER


DEPLOYMENT: Any = {
    "kind": "Deployment",
    "metadata": {"name": "shop"},
    "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "shop:1"}]}}},
}


def written(folder: Path, document: Any) -> Path:
    path = folder / "x.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_file_needs_no_cluster_and_has_no_original(tmp_path: Path) -> None:
    source = from_file(written(tmp_path, DEPLOYMENT), None)
    assert (source.live, source.owner) == (False, Owner("Deployment", "shop"))
    assert source.choice == (
        "pod shop, the template of Deployment shop, is not in the cluster: there is no original to compare with"
    )
    assert "namespace" not in source.pod["metadata"]


@pytest.mark.parametrize(
    ("asked", "own", "namespace"),
    [(None, None, "prod"), (None, "own", "own"), ("asked", None, "asked"), ("asked", "own", "asked")],
)
def test_the_namespace_is_the_users_else_the_files_else_the_contexts(
    tmp_path: Path, asked: str | None, own: str | None, namespace: str
) -> None:
    document = {**DEPLOYMENT, "metadata": {"name": "shop", **({"namespace": own} if own else {})}}
    cluster = Cluster()
    source = found(cluster, filename=written(tmp_path, document), namespace=asked)
    assert source.pod["metadata"]["namespace"] == namespace
    assert cluster.asked == []


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(DEPLOYMENT).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert from_file(Path("-"), "prod").pod["metadata"] == {"name": "shop", "namespace": "prod"}
