"""What takes a clone a minute or more, told beside the other tests: its deadline, a cluster that stays away."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e import pods
from tests.e2e.cluster import Cluster, Pod, Run, name_of, wait_for
from tests.e2e.expect import load_objects
from tests.e2e.proxy import proxy_to
from tests.e2e.rescuing import NOWHERE, rescuing, state_in

CAUSE_FOUND, CLUSTER = 0, 4
ENDLESS = Path(__file__).parent / "ground" / "endless.yaml"
DEADLINE_SECONDS = 60  # the shortest --ttl

Stories = dict[str, Future[None]]


@contextmanager
def beginning(cluster: Cluster, parent: Path) -> Iterator[Stories]:
    """Begin every story, each in a folder of its name; nothing of ours is left at the end."""
    told = [killed, *([away_for_good, away_at_the_deletion] if cluster.is_sandbox else [])]
    namespace = cluster.make_namespace("stories", {})
    cluster.apply(namespace, *load_objects(ENDLESS))
    folders = {story: parent / story.__name__ for story in told}
    for folder in folders.values():
        folder.mkdir()
    with ThreadPoolExecutor() as pool:
        yield {story.__name__: pool.submit(story, cluster, namespace, folders[story]) for story in told}
    cluster.delete_clones(namespace)
    left = cluster.left_clones(namespace)
    cluster.drop_namespace(namespace)
    assert left == []


def killed(cluster: Cluster, namespace: str, folder: Path) -> None:
    """SIGKILL: the cluster ends what runs, nobody what waits; `rescue ls` shows both, `rescue clean` deletes both."""
    ttl = ("--ttl", str(DEADLINE_SECONDS))
    with (
        rescuing(cluster, namespace, "endless", folder / "waiting", *ttl, "--patch", NOWHERE) as waiting,
        rescuing(cluster, namespace, "endless", folder / "replaying", *ttl) as replaying,
    ):
        waits, replays = waiting.clone_that_waits(), replaying.clone_that_replays()
        for rescue in (waiting, replaying):
            rescue.process.kill()
            rescue.end()
    assert "ownerReferences" not in replays["metadata"]
    assert replays["spec"]["activeDeadlineSeconds"] == DEADLINE_SECONDS
    assert (listed(cluster, replays)["phase"], listed(cluster, waits)["phase"]) == ("Running", "Pending")
    wait_for("the deadline", lambda: listed(cluster, replays)["phase"] == "Failed")
    assert replaying.clone()["status"]["reason"] == "DeadlineExceeded"
    wait_for("their expiry", lambda: all(listed(cluster, clone)["expired"] for clone in (waits, replays)))
    assert listed(cluster, waits)["phase"] == "Pending", "a deadline runs from the start on a node"
    check_cleaned(cluster, namespace, {name_of(waits), name_of(replays)})


def check_cleaned(cluster: Cluster, namespace: str, expired: set[str]) -> None:
    """These go, and no other pod."""
    others = {name_of(pod) for pod in cluster.pods(namespace)} - expired
    cleaned = cluster.rescue("clean", "--expired", "-n", namespace, "-o", "json")
    deleted = {(entry["namespace"], entry["name"]) for entry in cleaned.document["deleted"]}
    assert deleted == {(namespace, name) for name in expired}, cleaned.stderr
    assert {name_of(pod) for pod in cluster.pods(namespace)} == others


def listed(cluster: Cluster, clone: Pod) -> dict[str, Any]:
    """What `rescue ls` says of a clone."""
    run = cluster.rescue("ls", "-n", clone["metadata"]["namespace"], "-o", "json")
    (found,) = [entry for entry in run.document["clones"] if entry["name"] == name_of(clone)]
    return dict(found)


def away_for_good(cluster: Cluster, namespace: str, folder: Path) -> None:
    """In the middle of a replay: it is not taken up again, and the clone cannot be deleted."""
    with (
        proxy_to(cluster.server) as proxy,
        rescuing(cluster, namespace, "endless", folder, **cluster.behind(proxy.port, folder)) as rescue,
    ):
        clone = rescue.clone_that_replays()
        proxy.close()
        run = rescue.end()
    assert (run.code, run.stdout) == (CLUSTER, ""), run.stderr
    check_not_deleted(run, clone, folder)


def away_at_the_deletion(cluster: Cluster, namespace: str, folder: Path) -> None:
    """At the end of a good replay: the verdict is given all the same."""
    with (
        proxy_to(cluster.server) as proxy,
        rescuing(
            cluster, namespace, "endless", folder, "--seconds", "4", "-o", "json", **cluster.behind(proxy.port, folder)
        ) as rescue,
    ):
        clone = rescue.clone_that_leaves()
        proxy.begin_outage()
        run = rescue.end()
    pods.let_go(cluster, clone)
    assert run.code == CAUSE_FOUND, run.stderr
    assert run.document["verdict"]["code"] == "RSC330"
    assert run.document["clone"]["state"] == "not deleted"
    check_not_deleted(run, clone, folder)


def check_not_deleted(run: Run, clone: Pod, folder: Path) -> None:
    """The user is told what to type, and the case has it too."""
    assert f"kubectl delete pod {name_of(clone)} -n {clone['metadata']['namespace']}" in run.stderr
    assert "Traceback" not in run.stderr
    assert state_in(folder / "case") == "not deleted"
