"""A workload, a selector and a file lead to the right pod, the choice is said, and the pod's crash is explained."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, Pod, Run, name_of, wait_for
from tests.e2e.conftest import RESCUED
from tests.e2e.expect import load_objects

pytestmark = pytest.mark.e2e

USAGE, REFUSED, CLUSTER = 2, 3, 4
MISSING = "RSC101"  # A file is missing.
OBJECTS = load_objects(Path(__file__).parent / "ground" / "sources.yaml")
# Rescued to the end; the others are only planned.
RESCUES = ("sts/db", "ds/agent", "job/report", "cj/nightly")
CRASHING = "cat /etc/app/config.toml || exit 3"


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Iterator[str]:
    """A namespace with the objects of sources.yaml, each in its trouble; it has no clone at the end."""
    namespace = cluster.make_namespace("sources", {})
    cluster.apply(namespace, *OBJECTS)
    cluster.apply(namespace, nightly_job(cluster, namespace))
    for app in ("db", "agent"):
        cluster.pod_in_state(namespace, f"app={app}", "CrashLoopBackOff")
    for app, count in (("report", 2), ("nightly", 1)):
        wait_for(f"{count} failed pods of {app}", lambda: len(failed(cluster, namespace, app)) == count)  # noqa: B023
    yield namespace
    left = cluster.left_clones(namespace)
    cluster.drop_namespace(namespace)
    assert left == []


def nightly_job(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """A Job as the CronJob's controller would have made it, but one that fails."""
    [cron] = [item for item in cluster.objects("batch/v1", "cronjobs", namespace) if name_of(item) == "nightly"]
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": cron["metadata"]["uid"]}
    container = {"name": "app", "image": "rescue.test/shell:1", "command": ["sh", "-c", CRASHING]}
    template = {
        "metadata": {"labels": {"app": "nightly"}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "nightly-29000000", "ownerReferences": [{**owner, "controller": True}]},
        "spec": {"backoffLimit": 0, "template": template},
    }


def failed(cluster: Cluster, namespace: str, app: str) -> list[Pod]:
    return [pod for pod in cluster.pods(namespace, f"app={app}") if pod["status"].get("phase") == "Failed"]


@pytest.fixture(scope="module")
def runs(cluster: Cluster, ground: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Run]]]:
    """What `rescue pod` said of each of RESCUES, a few at a time."""

    def rescue(source: str) -> Run:
        with RESCUED:
            case = tmp_path_factory.mktemp("case") / "case"
            return cluster.rescue("pod", source, "-n", ground, "-o", "json", "--case", str(case))

    with ThreadPoolExecutor() as pool:
        yield {source: pool.submit(rescue, source) for source in RESCUES}


def check_verdict(run: Run, pod: str, choice: str) -> None:
    """The run explained the crash of this pod, and said why it was this one."""
    assert run.code == 0, run.stderr
    assert run.document["target"]["pod"] == pod
    assert run.document["verdict"]["code"] == MISSING
    assert choice in run.stderr


def test_a_stateful_sets_failing_member(runs: dict[str, Future[Run]]) -> None:
    check_verdict(runs["sts/db"].result(), "db-1", "pod db-1: the only failing pod of StatefulSet db (3 pods)")


def test_a_daemon_sets_pod(cluster: Cluster, ground: str, runs: dict[str, Future[Run]]) -> None:
    run = runs["ds/agent"].result()
    names = [name_of(pod) for pod in cluster.pods(ground, "app=agent")]
    assert run.document["target"]["pod"] in names
    check_verdict(run, run.document["target"]["pod"], " of DaemonSet agent")
    assert run.document["target"]["owner"] == {"kind": "DaemonSet", "name": "agent"}


def test_a_jobs_newest_failed_pod(cluster: Cluster, ground: str, runs: dict[str, Future[Run]]) -> None:
    newest = max(failed(cluster, ground, "report"), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
    pod = name_of(newest)
    check_verdict(runs["job/report"].result(), pod, f"pod {pod}: the worst of 2 failing pods of Job report (2 pods)")


def test_a_cron_jobs_pod_through_its_job(cluster: Cluster, ground: str, runs: dict[str, Future[Run]]) -> None:
    [pod] = [name_of(pod) for pod in failed(cluster, ground, "nightly")]
    check_verdict(runs["cj/nightly"].result(), pod, f"pod {pod}: the only pod of CronJob nightly")


@pytest.fixture(scope="module")
def worst(cluster: Cluster, ground: str) -> str:
    """The Deployment's pod that crashes for ever; of the two others one crashed once."""
    ready = wait_for("four running pods", lambda: running(cluster, ground, "app=shop", 4))
    once, for_ever, _ = [name for name in sorted(map(name_of, ready)) if name != "stray"]
    cluster.execute(ground, once, "touch", "/tmp/die")
    cluster.execute(ground, for_ever, "touch", "/flag/die")
    wait_for("a pod that crashed once", lambda: restarts(cluster, ground, once) == 1)
    wait_for("a crash loop", lambda: restarts(cluster, ground, for_ever) >= 2)
    return for_ever


def running(cluster: Cluster, namespace: str, selector: str, count: int) -> list[Pod]:
    """The selected pods, once so many run."""
    pods = [pod for pod in cluster.pods(namespace, selector) if pod["status"].get("phase") == "Running"]
    return pods if len(pods) == count else []


def restarts(cluster: Cluster, namespace: str, name: str) -> int:
    [pod] = [pod for pod in cluster.pods(namespace) if name_of(pod) == name]
    return int(pod["status"]["containerStatuses"][0]["restartCount"])


@pytest.mark.parametrize(
    ("source", "whose"),
    [
        (["deploy/shop"], "of Deployment shop (3 pods)"),
        (["deployments.apps/shop"], "of Deployment shop (3 pods)"),
        (["-l", "app in (shop)"], "matching 'app in (shop)' (4 pods)"),
    ],
)
def test_the_worst_replica(cluster: Cluster, ground: str, worst: str, source: list[str], whose: str) -> None:
    run = cluster.rescue("plan", *source, "-n", ground, "-o", "yaml")
    assert run.code == 0, run.stderr
    assert f"rescue.dev/source-pod: {worst}\n" in run.stdout
    assert f"pod {worst}: the worst of 2 failing pods {whose}" in run.stderr


def test_a_replica_set_by_its_own_name(cluster: Cluster, ground: str, worst: str) -> None:
    sets = [name_of(item) for item in cluster.objects("apps/v1", "replicasets", ground)]
    [name] = [name for name in sets if name.startswith("shop-")]
    run = cluster.rescue("plan", f"rs/{name}", "-n", ground, "-o", "yaml")
    assert f"pod {worst}: the worst of 2 failing pods of ReplicaSet {name} (3 pods)" in run.stderr


def template_file(folder: Path) -> Path:
    """A Deployment with a name that the namespace has not; its pods would crash."""
    container = {"name": "app", "image": "rescue.test/shell:1", "command": ["sh", "-c", CRASHING]}
    template = {"metadata": {"labels": {"app": "draft"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": "draft"}}, "template": template}
    path = folder / "draft.json"
    path.write_text(
        json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "draft"}, "spec": spec})
    )
    return path


def test_a_file_that_is_not_in_the_cluster(cluster: Cluster, ground: str, tmp_path: Path) -> None:
    run = cluster.rescue(
        "pod", "-f", str(template_file(tmp_path)), "-n", ground, "-o", "json", "--case", str(tmp_path / "case")
    )
    check_verdict(run, "draft", "pod draft, the template of Deployment draft, is not in the cluster")
    assert cluster.pods(ground, "app=draft") == []


def test_a_file_with_another_command(cluster: Cluster, ground: str, tmp_path: Path) -> None:
    run = cluster.rescue("pod", "-f", str(template_file(tmp_path)), "-n", ground, "-o", "json", "--", "/bin/false")
    assert run.document["replay"]["command"] == ["/bin/false"]
    assert run.document["replay"]["exitCode"] == 1


def check_refused(run: Run, code: int, *texts: str) -> None:
    assert run.code == code, run.stderr
    assert [text for text in texts if text not in run.stderr] == [], run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("source", "code", "texts"),
    [
        (["deploy/asleep"], REFUSED, ["Deployment asleep has no pods: it is scaled to 0 replicas", "rescue pod -f -"]),
        (["cj/never"], REFUSED, ["CronJob never has no pods: it is suspended"]),
        (["-l", "app=nobody"], REFUSED, ["matches 'app=nobody'"]),
        (["-l", "app in shop"], USAGE, ["unable to parse requirement"]),
        (["sts/shop"], CLUSTER, ['statefulsets.apps "shop" not found', "kubectl get statefulsets -A"]),
        (["svc/shop"], USAGE, ["unknown kind 'svc'", "deploy"]),
        (["shop"], CLUSTER, ['pods "shop" not found', "deploy/shop"]),
    ],
)
def test_what_leads_to_no_pod(cluster: Cluster, ground: str, source: list[str], code: int, texts: list[str]) -> None:
    check_refused(cluster.rescue("pod", *source, "-n", ground), code, *texts)


def test_a_workload_whose_pods_a_quota_forbids(cluster: Cluster) -> None:
    namespace = cluster.make_namespace("quota", {})
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    [db] = [item for item in OBJECTS if item["metadata"]["name"] == "db"]
    [shop] = [item for item in OBJECTS if item["metadata"]["name"] == "shop"]
    try:
        cluster.apply(namespace, quota)
        cluster.apply(namespace, db, shop)
        for source in ("sts/db", "deploy/shop"):
            wait_for("the reason", lambda: "quota" in refusal(cluster, namespace, source).stderr)  # noqa: B023
            check_refused(refusal(cluster, namespace, source), REFUSED, "has no pods", "quota: none")
    finally:
        cluster.drop_namespace(namespace)


def refusal(cluster: Cluster, namespace: str, source: str) -> Run:
    return cluster.rescue("plan", source, "-n", namespace)


def test_a_manifest_from_a_pipe(cluster: Cluster, ground: str) -> None:
    [db] = [item for item in OBJECTS if item["metadata"]["name"] == "db"]
    run = cluster.pipe(json.dumps(db), "plan", "-f", "-", "-n", ground, "-o", "yaml")
    assert run.code == 0, run.stderr
    assert "rescue.dev/source-pod: db\n" in run.stdout
