"""An API server that goes away in the middle, for a moment; test_cleanup.py has those that stay away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, wait_for
from tests.e2e.expect import load_objects
from tests.e2e.proxy import Proxy, proxy_to

pytestmark = pytest.mark.e2e

CAUSE_FOUND = 0
ENDLESS = Path(__file__).parent / "ground" / "endless.yaml"


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace with the pod ``endless`` in a crash loop."""
    if not cluster.is_sandbox:
        pytest.skip("a proxy in front of this cluster would not have its certificate")
    name = cluster.make_namespace("network", {})
    cluster.apply(name, *load_objects(ENDLESS))
    cluster.pod_in_state(name, "app=endless", "CrashLoopBackOff")
    yield name
    cluster.drop_namespace(name)


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """A proxy to the cluster's API server."""
    with proxy_to(cluster.server) as made:
        yield made


def replaying(cluster: Cluster, namespace: str, case: Path) -> bool:
    """Whether the replay's first line has reached the case."""
    return bool(cluster.clones(namespace)) and (case / "replay" / "hunter.log").exists()


def test_a_broken_connection_is_taken_up_again(cluster: Cluster, namespace: str, proxy: Proxy, tmp_path: Path) -> None:
    case = tmp_path / "case"
    environment = cluster.behind(proxy.port, tmp_path)
    with cluster.start("pod", "endless", "-n", namespace, "--seconds", "10", "--case", str(case), **environment) as run:
        wait_for("a replay", lambda: replaying(cluster, namespace, case))
        proxy.cut()
        stdout, stderr = run.communicate(timeout=120)
    assert run.returncode == CAUSE_FOUND, stderr
    assert "RSC330" in stdout
    assert (case / "replay" / "end").read_text().startswith("format=rescue-end 1\n")
    assert cluster.clones(namespace) == []
