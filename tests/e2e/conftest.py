"""One cluster for the session, and every case's rescue running ahead of the test that judges it."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import BoundedSemaphore

import pytest

from tests.e2e import sandbox
from tests.e2e.cluster import Cluster, Outcome
from tests.e2e.expect import Case
from tests.e2e.stories import Stories, beginning

CRASHING = 6  # pods that are brought to their crash loop at a time
RESCUED = BoundedSemaphore(2)  # rescues at a time; more only wait for each other on a small machine


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of --context, or a sandbox."""
    context, folder = request.config.getoption("--context"), tmp_path_factory.mktemp("work")
    if context:
        yield Cluster(None, context, folder)
        return
    with sandbox.running(tmp_path_factory.mktemp("sandbox"), request.config.getoption("--keep-images")) as kubeconfig:
        yield Cluster(kubeconfig, None, folder)


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """For each selected case, by name: what came of it. A few run ahead of the test that asks."""
    chosen = {case.name: case for case in _selected(request.session) if cluster.provides(case.expect.requires)}
    pool = ThreadPoolExecutor(CRASHING)
    try:
        yield {name: pool.submit(_try, cluster, case, tmp_path_factory.mktemp(name)) for name, case in chosen.items()}
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def stories(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """What takes long, by name."""
    with beginning(cluster, tmp_path_factory.mktemp("stories")) as begun:
        yield begun


@pytest.fixture(scope="session", autouse=True)
def _begin_stories(request: pytest.FixtureRequest) -> None:
    """If any selected test will ask for the stories they begin with the first test."""
    if any("stories" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("stories")


def _selected(session: pytest.Session) -> list[Case]:
    """The cases of the tests that pytest will run."""
    calls = [item.callspec for item in session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    return [case for call in calls if isinstance(case := call.params.get("case"), Case)]


def _try(cluster: Cluster, case: Case, parent: Path) -> Outcome:
    """Create a case's objects in a namespace of their own, wait for the crash loop, rescue the pod."""
    namespace = cluster.make_namespace(case.name, case.expect.namespaceLabels)
    try:
        cluster.apply(namespace, *case.objects)
        pod = cluster.pod_in_state(namespace, case.expect.selector, case.expect.state, case.expect.container)
        with RESCUED:
            return _rescue(cluster, case, namespace, pod, parent / "case")
    finally:
        cluster.drop_namespace(namespace)


def _rescue(cluster: Cluster, case: Case, namespace: str, pod: str, folder: Path) -> Outcome:
    """Rescue the pod, and look for what it left."""
    run = cluster.rescue("pod", pod, "-n", namespace, "-o", "json", "--case", str(folder), *case.expect.arguments)
    return Outcome(run, pod, namespace, folder, cluster.left_clones(namespace))
