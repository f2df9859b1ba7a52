"""Nothing of ours stays, however a rescue ends; where that cannot be, the user is told what to type.

What takes long is told in stories.py.
"""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import pods
from tests.e2e.cluster import Cluster, Pod, Run, name_of, wait_for
from tests.e2e.expect import load_objects
from tests.e2e.proxy import Proxy, proxy_to
from tests.e2e.rescuing import NOWHERE, Rescuing, rescuing, state_in
from tests.e2e.stories import Stories

pytestmark = pytest.mark.e2e

CAUSE_FOUND, CLUSTER, INTERRUPTED = 0, 4, 130
ENDLESS = Path(__file__).parent / "ground" / "endless.yaml"
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
TRIES = 4  # connections that a rescue loses before an outage ends

NO_PROXY = "a proxy in front of this cluster would not have its certificate"


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace with the pod ``endless`` in a crash loop; nothing of ours is in it at the end."""
    name = cluster.make_namespace("cleanup", {})
    cluster.apply(name, *load_objects(ENDLESS))
    yield name
    left = cluster.left_clones(name)
    cluster.drop_namespace(name)
    assert left == []


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """A proxy to the cluster's API server."""
    if not cluster.is_sandbox:
        pytest.skip(NO_PROXY)
    with proxy_to(cluster.server) as made:
        yield made


@dataclass(frozen=True)
class Stage:
    """A moment in the life of a clone: the arguments that lead there, and how to wait for it."""

    name: str
    arguments: tuple[str, ...]
    reach: Callable[[Rescuing], Pod]


WAITING = Stage("waiting", ("--patch", NOWHERE), Rescuing.clone_that_waits)
REPLAYING = Stage("replaying", (), Rescuing.clone_that_replays)
DELETING = Stage("deleting", ("--seconds", "4"), Rescuing.clone_that_leaves)


@pytest.mark.parametrize("stage", [WAITING, REPLAYING, DELETING], ids=lambda stage: stage.name)
def test_signals_upon_signals_do_not_break_the_clean_up_off(
    cluster: Cluster, namespace: str, tmp_path: Path, stage: Stage
) -> None:
    with rescuing(cluster, namespace, "endless", tmp_path, *stage.arguments) as rescue:
        clone = stage.reach(rescue)
        if stage is not DELETING:
            pods.hold(cluster, clone)
        rescue.signal(INT)
        rescue.wait_for_deletion(clone)
        rescue.signal(INT, TERM, HUP)
        pods.let_go(cluster, clone)
        run = rescue.end()
    check_interrupted(run, tmp_path / "case")
    assert name_of(clone) not in map(name_of, cluster.clones(namespace))


def test_a_terminal_that_is_closed(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    with rescuing(cluster, namespace, "endless", tmp_path) as rescue:
        rescue.clone_that_replays()
        assert rescue.process.stderr
        rescue.process.stderr.close()
        rescue.signal(HUP)
        assert rescue.process.wait(60) != CAUSE_FOUND
    assert state_in(tmp_path / "case") == "deleted"


def test_a_clone_that_somebody_deletes_before_it_runs(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    with rescuing(cluster, namespace, "endless", tmp_path, *WAITING.arguments) as rescue:
        clone = WAITING.reach(rescue)
        pods.delete(cluster, clone)
        run = rescue.end()
    assert (run.code, run.stdout) == (CLUSTER, ""), run.stderr
    assert "somebody deleted the clone" in run.stderr
    assert "Traceback" not in run.stderr
    assert state_in(tmp_path / "case") == "deleted"


def test_a_signal_while_the_clone_is_made(cluster: Cluster, namespace: str, tmp_path: Path, proxy: Proxy) -> None:
    through = cluster.behind(proxy.port, tmp_path)
    with rescuing(cluster, namespace, "endless", tmp_path, **through) as rescue:
        make_unanswered(rescue, proxy)
        rescue.signal(TERM)
        proxy.release_all()
        run = rescue.end()
    check_interrupted(run, tmp_path / "case")


def test_an_answer_to_the_creation_that_is_lost(cluster: Cluster, namespace: str, tmp_path: Path, proxy: Proxy) -> None:
    through = cluster.behind(proxy.port, tmp_path)
    with rescuing(cluster, namespace, "endless", tmp_path, **through) as rescue:
        make_unanswered(rescue, proxy)
        proxy.cut()
        run = rescue.end()
    assert (run.code, run.stdout) == (CLUSTER, ""), run.stderr
    assert " created" not in run.stderr
    assert cluster.left_clones(namespace) == []


def make_unanswered(rescue: Rescuing, proxy: Proxy) -> None:
    """Let every answer through but the one that says that the clone was made."""
    proxy.hold_answers()
    while not rescue.has_ended():
        # What had come before we looked cannot be the answer to a creation that we do not see.
        came = proxy.answers()
        if rescue.found():
            return
        proxy.release(came)
        time.sleep(0.01)
    pytest.fail("the rescue made no clone")


def test_an_outage_at_the_deletion_is_sat_out(cluster: Cluster, namespace: str, tmp_path: Path, proxy: Proxy) -> None:
    through = cluster.behind(proxy.port, tmp_path)
    with rescuing(cluster, namespace, "endless", tmp_path, **through) as rescue:
        clone = rescue.clone_that_replays()
        proxy.begin_outage()
        rescue.signal(INT)
        refused = proxy.refused
        wait_for("several tries", lambda: proxy.refused >= refused + TRIES)
        assert name_of(clone) in map(name_of, cluster.clones(namespace))
        proxy.end_outage()
        check_interrupted(rescue.end(), tmp_path / "case")


def test_a_killed_rescue_leaves_a_clone_that_is_listed_until_it_is_cleaned(stories: Stories) -> None:
    stories["killed"].result()


def test_a_cluster_that_goes_away_for_good_is_an_error_that_names_the_clone(cluster: Cluster, stories: Stories) -> None:
    if not cluster.is_sandbox:
        pytest.skip(NO_PROXY)
    stories["away_for_good"].result()


def test_a_clone_that_cannot_be_deleted_does_not_cost_the_verdict(cluster: Cluster, stories: Stories) -> None:
    if not cluster.is_sandbox:
        pytest.skip(NO_PROXY)
    stories["away_at_the_deletion"].result()


def check_interrupted(run: Run, case: Path) -> None:
    """An interrupted rescue that has deleted its clone."""
    assert run.code == INTERRUPTED, run.stderr
    assert "error: interrupted" in run.stderr
    assert "Traceback" not in run.stderr
    assert state_in(case) == "deleted", run.stderr
