"""A command that only the image knows: a real registry tells it, else a scout sees it on real containers."""

import base64
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rescue.sandbox.archive import ARCHITECTURE, PATH, Entry, Image, busybox, write_archive
from tests.e2e import elf, registry
from tests.e2e.cluster import Cluster, Run
from tests.e2e.conftest import RESCUED
from tests.e2e.registry import PASSWORD, USER, Registry

pytestmark = pytest.mark.e2e

QUIT = Entry("/app/quit", elf.program(ARCHITECTURE, "quit: not today", exit_code=7))
SCRIPT = Entry("/entry.sh", b'#!/bin/sh\nexec /app/quit "$@"\n')


@dataclass(frozen=True)
class Shape:
    """An image and a container of it, and what they run; ``argv`` is as Kubernetes takes it in args."""

    name: str
    config: dict[str, Any]
    argv: list[str]
    container: dict[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """A name that no registry answers for."""
        return f"rescue.test/entry-{self.name}:1"


SHAPES = [
    Shape("quits", {"Entrypoint": ["/bin/busybox", "false"]}, ["/bin/busybox", "false"]),
    Shape("execs", {"Entrypoint": ["/entry.sh"], "Cmd": ["$HOME", ""]}, ["/bin/sh", "/entry.sh", "$$HOME", ""]),
    Shape("lasts", {"Cmd": ["/bin/sh", "-c", "sleep 14; exit 3"]}, ["/bin/sh", "-c", "sleep 14; exit 3"]),
    Shape(
        "shell-form",
        {"Entrypoint": ["/bin/sh", "-c", "exec /app/quit 'Á b'"]},
        ["/bin/sh", "-c", "exec /app/quit 'Á b'"],
    ),
    Shape(
        "with-args",
        {"Entrypoint": ["/entry.sh"], "Cmd": ["not-this"]},
        ["/bin/sh", "/entry.sh", "--greeting=hello you"],
        {"args": ["--greeting=$(GREETING)"], "env": [{"name": "GREETING", "value": "hello you"}]},
    ),
]
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
by_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)


def pod(name: str, image: str, **container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": image, "securityContext": RESTRICTED, **container}]},
    }


@pytest.fixture(scope="module")
def load(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Bring images to podman, which is the sandbox's node; they go with the module."""
    if not cluster.is_sandbox:
        pytest.skip("the nodes of another cluster do not have these images")
    loaded: list[str] = []

    def bring(name: str, config: dict[str, Any]) -> str:
        loaded.append(name)
        image = Image(name, (*busybox(), QUIT, SCRIPT), {"Env": [PATH], **config})
        archive = write_archive(image, tmp_path_factory.mktemp("image"))
        subprocess.run(["podman", "load", "--quiet", "--input", archive], check=True, capture_output=True, timeout=60)
        return name

    yield bring
    subprocess.run(["podman", "rmi", "--force", "--ignore", *loaded], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def scouted(
    cluster: Cluster, load: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[tuple[Run, Path]]]]:
    """For each shape, by name: the rescue of a pod of it where PodSecurity is enforced, and its case."""
    namespace = cluster.make_namespace("entrypoint", {"pod-security.kubernetes.io/enforce": "restricted"})
    pool = ThreadPoolExecutor(len(SHAPES))

    def rescue(shape: Shape) -> tuple[Run, Path]:
        cluster.apply(namespace, pod(shape.name, load(shape.image, shape.config), **shape.container))
        name = cluster.pod_in_state(namespace, f"app={shape.name}", "CrashLoopBackOff")
        folder = tmp_path_factory.mktemp(shape.name) / "case"
        with RESCUED:
            return cluster.rescue("pod", name, "-n", namespace, "--case", str(folder), "-o", "json"), folder

    try:
        yield {shape.name: pool.submit(rescue, shape) for shape in SHAPES}
        pool.shutdown()
        assert cluster.left_clones(namespace) == [], "every scout and clone is gone"
    finally:
        pool.shutdown(cancel_futures=True)
        cluster.drop_namespace(namespace)


@by_shape
def test_a_scout_sees_what_the_image_runs(scouted: dict[str, Future[tuple[Run, Path]]], shape: Shape) -> None:
    run, folder = scouted[shape.name].result()
    assert run.code in (0, 6), run.stderr
    case = json.loads((folder / "case.json").read_text())
    assert (case["command"], case["commandSource"]) == (shape.argv, "scout"), run.stderr
    assert "scout rescue-" in run.stderr
    assert "deleted" in run.stderr


@by_shape
def test_what_a_scout_saw_ends_as_the_original(scouted: dict[str, Future[tuple[Run, Path]]], shape: Shape) -> None:
    run, _ = scouted[shape.name].result()
    assert run.document["replay"]["exitCode"] == {"quits": 1, "lasts": 3}.get(shape.name, 7)


@dataclass(frozen=True)
class Private:
    """A namespace with pods of one image of a private registry; each has another pull secret."""

    cluster: Cluster
    namespace: str
    registry: Registry
    home: Path

    def plan(self, name: str, output: str = "patch") -> Run:
        """What the plan for a pod says; no login of this machine helps."""
        environment = {"REQUESTS_CA_BUNDLE": str(self.registry.certificate), "DOCKER_CONFIG": str(self.home)}
        return self.cluster.rescue("plan", name, "-n", self.namespace, "-o", output, **environment)

    def args(self, name: str) -> list[str]:
        """The command that the clone of a pod gets."""
        run = self.plan(name)
        assert run.code == 0, run.stderr
        changes = {change["path"]: change.get("value") for change in json.loads(run.stdout)}
        found: list[str] = changes["/spec/containers/0/args"]
        return found


def pull_secret(name: str, host: str, password: str) -> dict[str, Any]:
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    document = json.dumps({"auths": {f"https://{host}": {"auth": auth}}})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(document.encode()).decode()},
    }


@pytest.fixture(scope="module")
def private(cluster: Cluster, load: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    """Pods ``right``, ``wrong`` and ``missing``, by what their pull secret is; all have crashed."""
    namespace = cluster.make_namespace("registry", {})
    try:
        with registry.running() as served:
            image = load(f"{served.host}/team/shop:1", {"Entrypoint": ["/entry.sh"], "Cmd": ["a", "$b"]})
            served.push(image)
            passwords = {"right": PASSWORD, "wrong": "not-it-at-all"}
            cluster.apply(namespace, *(pull_secret(name, served.host, text) for name, text in passwords.items()))
            for name in (*passwords, "missing"):
                manifest = pod(name, image)
                manifest["spec"]["imagePullSecrets"] = [{"name": name}]
                cluster.apply(namespace, manifest)
            for name in (*passwords, "missing"):
                cluster.pod_in_state(namespace, f"app={name}", "CrashLoopBackOff")
            yield Private(cluster, namespace, served, tmp_path_factory.mktemp("docker"))
    finally:
        cluster.drop_namespace(namespace)


def test_a_private_registry_tells_the_command_to_the_pods_pull_secret(private: Private) -> None:
    assert private.args("right") == ["/entry.sh", "a", "$$b"]


def test_a_login_of_this_machine_will_do_as_well(private: Private, tmp_path: Path) -> None:
    auths = {private.registry.host: {"username": USER, "password": PASSWORD}}
    (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
    assert Private(private.cluster, private.namespace, private.registry, tmp_path).args("missing")[0] == "/entry.sh"


def test_the_plan_says_where_the_command_is_from(private: Private) -> None:
    assert f"ENTRYPOINT and CMD of {private.registry.host}/team/shop:1" in private.plan("right", "diff").stdout


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wrong", "not allowed with imagePullSecret 'wrong'; not allowed without credentials"),
        ("missing", "imagePullSecret 'missing': secrets \"missing\" not found"),
    ],
)
def test_a_plan_without_a_login_is_refused_with_the_reason(private: Private, name: str, reason: str) -> None:
    run = private.plan(name)
    assert run.code == 3
    assert reason in run.stderr
    assert "let `rescue pod` watch it start" in run.stderr
    assert "not-it-at-all" not in run.stdout + run.stderr
    assert private.cluster.left_clones(private.namespace) == []


def test_a_scout_looks_where_the_registry_is_down_and_a_quota_can_forbid_it(private: Private, tmp_path: Path) -> None:
    private.registry.stop()
    place = ("right", "-n", private.namespace)
    seen = private.cluster.rescue("pod", *place, "--case", str(tmp_path / "seen"), "-o", "json")
    assert seen.code in (0, 6), seen.stderr
    case = json.loads((tmp_path / "seen" / "case.json").read_text())
    assert (case["command"], case["commandSource"]) == (["/bin/sh", "/entry.sh", "a", "$$b"], "scout")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}, "spec": {"hard": {"pods": "3"}}}
    private.cluster.apply(private.namespace, quota)
    refused = private.cluster.rescue("pod", *place, "--case", str(tmp_path / "refused"))
    assert refused.code == 3
    assert "registry: the registry 127.0.0.1" in refused.stderr
    assert "scout: the cluster refuses the clone" in refused.stderr
    assert "exceeded quota: full" in refused.stderr
    assert "-- /path/to/program" in refused.stderr
    assert private.cluster.left_clones(private.namespace) == []
