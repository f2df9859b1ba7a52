"""A clone of every pod of the corpus is one that an API server takes: kubectl's dry run of what `rescue plan` shows.

Nothing is created but the service accounts that the pods name, and no container runs.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from rescue.manifest import load_all
from tests.e2e.cluster import Cluster, Run, name_of
from tests.shapes import FOLDER, names, shape

pytestmark = pytest.mark.e2e

PLANNING = 2  # plans at a time: each is a process that a core is busy with


@dataclass(frozen=True)
class DryRun:
    """What `rescue plan` showed of each shape, and what kubectl said to all of it."""

    plans: dict[str, Run]
    said: Run


@pytest.fixture(scope="module")
def dry_run(cluster: Cluster) -> Iterator[DryRun]:
    """Every clone planned, and tried in a namespace that stays empty."""
    namespace = cluster.make_namespace("corpus", {})
    try:
        cluster.apply(namespace, *map(account, sorted(accounts())))
        with ThreadPoolExecutor(PLANNING) as pool:
            plans = dict(zip(names(), pool.map(lambda name: plan(cluster, namespace, name), names()), strict=True))
        everything = "---\n".join(each.stdout for each in plans.values())
        yield DryRun(plans, cluster.kubectl(everything, "apply", "--dry-run=server", "-n", namespace, "-f", "-"))
        assert cluster.pods(namespace) == []
    finally:
        cluster.drop_namespace(namespace)


@pytest.mark.parametrize("name", names())
def test_a_server_takes_the_clone(name: str, dry_run: DryRun, cluster: Cluster) -> None:
    runtime = shape(name)["spec"].get("runtimeClassName")
    if runtime and not cluster.is_sandbox:
        pytest.skip(f"needs RuntimeClass {runtime}, which this suite does not make on a cluster of others")
    planned = dry_run.plans[name]
    assert planned.code == 0, planned.stderr
    (clone,) = load_all(planned.stdout, name)
    assert f"pod/{name_of(clone)} created (server dry run)" in dry_run.said.stdout, dry_run.said.stderr


def plan(cluster: Cluster, namespace: str, name: str) -> Run:
    """`rescue plan` of one shape, with a command that every image could have."""
    return cluster.rescue("plan", "-f", str(FOLDER / f"{name}.yaml"), "-n", namespace, "-o", "yaml", "--", "/bin/true")


def accounts() -> set[str]:
    """The service accounts that the pods name, but the one that is always there."""
    return {shape(name)["spec"].get("serviceAccountName", "default") for name in names()} - {"default"}


def account(name: str) -> dict[str, object]:
    """A service account."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
