"""One cluster for the session, and every case's rescue running ahead of the test that judges it."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e import sandbox
from tests.e2e.cluster import Cluster, Outcome
from tests.e2e.expect import Case

AT_A_TIME = 2  # rescues; more only wait for each other on a small machine


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of --context, or a sandbox."""
    context = request.config.getoption("--context")
    if context:
        yield Cluster(None, context)
        return
    with sandbox.running(tmp_path_factory.mktemp("sandbox"), request.config.getoption("--keep-images")) as kubeconfig:
        yield Cluster(kubeconfig, None)


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """For each selected case, by name: its objects are all created first, then rescue runs for a few at a time."""
    chosen = [case for case in _selected(request.session) if cluster.provides(case.expect.requires)]
    namespaces = {case.name: cluster.make_namespace(case.name, case.expect.namespaceLabels) for case in chosen}
    pool = ThreadPoolExecutor(AT_A_TIME)
    try:
        for case in chosen:
            cluster.apply(namespaces[case.name], *case.objects)
        yield {
            case.name: pool.submit(_rescue, cluster, case, namespaces[case.name], tmp_path_factory.mktemp(case.name))
            for case in chosen
        }
    finally:
        pool.shutdown(cancel_futures=True)
        for namespace in namespaces.values():
            cluster.drop_namespace(namespace)


def _selected(session: pytest.Session) -> list[Case]:
    """The cases of the tests that pytest will run."""
    calls = [item.callspec for item in session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    return [case for call in calls if isinstance(case := call.params.get("case"), Case)]


def _rescue(cluster: Cluster, case: Case, namespace: str, parent: Path) -> Outcome:
    """Wait for the crash loop, rescue it, and see that the clone is gone."""
    expect, folder = case.expect, parent / "case"
    pod = cluster.pod_in_state(namespace, expect.selector, expect.state, expect.container)
    run = cluster.rescue("pod", pod, "-n", namespace, "-o", "json", "--case", str(folder), *expect.arguments)
    cluster.wait_until_no_clone(namespace)
    return Outcome(run, pod, namespace, folder)
