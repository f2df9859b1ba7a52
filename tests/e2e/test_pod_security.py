"""A rescue works where PodSecurity is enforced, and replays as the user, with the rights, that the container has."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client.exceptions import ForbiddenException

from tests.e2e import pods
from tests.e2e.cluster import Cluster, Run
from tests.e2e.conftest import RESCUED

pytestmark = pytest.mark.e2e

CLUSTER = 4
LEVELS = ("baseline", "restricted")
# What `restricted` asks of every container, and nothing more.
RESTRICTED = {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "seccompProfile": {"type": "RuntimeDefault"}}
NO_CAPABILITIES = {"capabilities": {"drop": ["ALL"]}}
MISSING = "cat /etc/app/config.toml || exit 3"


@dataclass(frozen=True)
class Shape:
    """A pod's way to be secure, how it crashes, the code of the cause, and who its program is."""

    name: str
    container: dict[str, Any]  # its securityContext
    cause: str
    identity: dict[str, str]  # lines of hunter.log
    pod: dict[str, Any] = field(default_factory=dict)  # the pod's securityContext
    image: str = "rescue.test/shell:1"
    script: str = MISSING


SHAPES = (
    Shape(
        "user-of-the-image",
        {"runAsNonRoot": True},
        "RSC101",
        {"uid": "1000", "gid": "1000"},
        image="rescue.test/user:1",
    ),
    Shape(
        "read-only-root",
        {"readOnlyRootFilesystem": True, "runAsUser": 1000},
        "RSC111",
        {"uid": "1000", "gid": "1000"},
        script="echo $$ >/tmp/app.pid || exit 3",
    ),
    Shape(
        "no-privileges",
        {"allowPrivilegeEscalation": False, **NO_CAPABILITIES, "runAsUser": 65534},
        "RSC101",
        {"uid": "65534", "cap_eff": "0000000000000000", "no_new_privs": "1"},
    ),
    EVERYTHING := Shape(
        "everything",
        {"readOnlyRootFilesystem": True, **NO_CAPABILITIES, **RESTRICTED},
        "RSC110",
        {"uid": "54321", "gid": "54322", "groups": "54322 54323", "no_new_privs": "1", "seccomp": "2"},
        pod={"runAsUser": 54321, "runAsGroup": 54322, "fsGroup": 54323},
        # Its volume is its own by its fsGroup; nothing else is.
        script="echo 1 >/data/mine || exit 7; cat /etc/shadow || exit 3",
    ),
)


Rescues = dict[tuple[str, str], Future[Run]]  # by level and shape


@pytest.fixture(scope="module")
def spaces(cluster: Cluster) -> Iterator[dict[str, str]]:
    """For each level a namespace that enforces it and has every shape; no clone is in it at the end."""
    made = {level: make_namespace(cluster, level) for level in LEVELS}
    yield made
    left = [name for namespace in made.values() for name in cluster.left_clones(namespace)]
    for namespace in made.values():
        cluster.drop_namespace(namespace)
    assert left == []


@pytest.fixture(scope="module")
def rescues(cluster: Cluster, spaces: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rescues]:
    """A rescue of each shape at each level."""
    with ThreadPoolExecutor() as pool:
        yield {
            (level, shape.name): pool.submit(rescue, cluster, spaces[level], shape, tmp_path_factory.mktemp("case"))
            for level in LEVELS
            for shape in SHAPES
        }


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_replay_is_traced_and_names_the_cause(shape: Shape, level: str, rescues: Rescues) -> None:
    run = rescues[level, shape.name].result()
    assert run.code == 0, run.stderr
    document = run.document
    assert (document["verdict"]["code"], document["verdict"]["confidence"]) == (shape.cause, "certain")
    assert (document["replay"]["traced"], document["replay"]["exitCode"]) == (True, 3)
    assert document["clone"]["state"] == "deleted"
    assert {key: said(document["case"])[key] for key in shape.identity} == shape.identity


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_forbids_the_capability_that_tracing_others_needs(
    cluster: Cluster, spaces: dict[str, str], level: str
) -> None:
    forbidden = manifest(Shape("forbidden", {"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}}, "", {}), level)
    with pytest.raises(ForbiddenException, match=f'violates PodSecurity \\\\"{level}'):
        pods.create(cluster, spaces[level], forbidden)


def test_root_is_refused_where_it_is_forbidden_in_the_words_of_the_cluster(
    cluster: Cluster, spaces: dict[str, str], tmp_path: Path
) -> None:
    run = rescue(cluster, spaces["restricted"], EVERYTHING, tmp_path, "--run-as", "root")
    assert (run.code, run.stdout) == (CLUSTER, ""), run.stderr
    assert "so it was not created" in run.stderr
    assert 'violates PodSecurity "restricted:latest"' in run.stderr
    assert "runAsNonRoot != true" in run.stderr
    assert "runAsUser=0" in run.stderr


def test_root_where_it_is_allowed_may_read_what_the_user_may_not(
    cluster: Cluster, spaces: dict[str, str], tmp_path: Path
) -> None:
    run = rescue(cluster, spaces["baseline"], EVERYTHING, tmp_path, "--run-as", "root")
    document = run.document
    assert (document["replay"]["exitCode"], document["replay"]["traced"]) == (0, True), run.stderr
    assert said(document["case"])["uid"] == "0"
    assert document["clone"]["state"] == "deleted"


def make_namespace(cluster: Cluster, level: str) -> str:
    """A namespace that enforces a level and has every shape, each in its crash loop."""
    namespace = cluster.make_namespace(level, {"pod-security.kubernetes.io/enforce": level})
    cluster.apply(namespace, *(manifest(shape, level) for shape in SHAPES))
    return namespace


def manifest(shape: Shape, level: str) -> dict[str, Any]:
    """The pod of a shape; at `restricted` with what that level asks of everybody."""
    asked = {**RESTRICTED, **NO_CAPABILITIES} if level == "restricted" else {}
    container = {
        "name": "app",
        "image": shape.image,
        "command": ["sh", "-c", shape.script],
        "securityContext": {**asked, **shape.container},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "securityContext": shape.pod,
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    metadata = {"name": shape.name, "labels": {"app": shape.name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def rescue(cluster: Cluster, namespace: str, shape: Shape, folder: Path, *arguments: str) -> Run:
    """Rescue a shape's pod once it is in its crash loop."""
    cluster.pod_in_state(namespace, f"app={shape.name}", "CrashLoopBackOff")
    with RESCUED:
        case = str(folder / "case")
        return cluster.rescue("pod", shape.name, "-n", namespace, "-o", "json", "--case", case, *arguments)


def said(case: str) -> dict[str, str]:
    """What the hunter wrote of the program: ``EPOCH key=value`` lines."""
    lines = (Path(case) / "replay" / "hunter.log").read_text().splitlines()[1:]
    return dict(line.split(" ", 1)[1].split("=", 1) for line in lines)
