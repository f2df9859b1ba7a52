"""rescue demo: a crash-looping Deployment in a sandbox of its own, rescued, and everything removed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from rescue.console import Console
from rescue.errors import ExitCode, RescueError
from rescue.flow import rescue_pod
from rescue.interrupt import as_keyboard_interrupt, deferred
from rescue.kube.client import Cluster, connect
from rescue.manifest import load_all
from rescue.options import DEFAULT_TOOLKIT_IMAGE, Options
from rescue.report.text import render
from rescue.sandbox import archive, manage, place
from rescue.triage import choose_target

FILES = Path(archive.__file__).parent / "demo"
PATIENCE = 60  # seconds for the Deployment to crash


def _images() -> list[archive.Image]:
    """The demo's program, and a stand-in for the toolkit image from this machine's busybox: there is no registry."""
    tools = archive.busybox()
    program = archive.Entry("/srv/shop", FILES / "shop.sh")
    return [
        archive.Image("rescue.demo/shop:1", (*tools, program)),
        archive.Image(f"docker.io/library/{DEFAULT_TOOLKIT_IMAGE}", tuple(tools)),
    ]


@contextmanager
def _sandbox(console: Console) -> Iterator[Path]:
    """The kubeconfig of a sandbox that is taken down at the end, whatever happens."""
    where = place.of("demo")
    console.step("starting a sandbox: the Kubernetes API on loopback, containers by podman")
    try:
        with deferred():
            manage.up(where)
        with manage.lent(where, _images()):
            yield where.kubeconfig
    finally:
        with deferred():
            manage.down(where)
            console.step("sandbox removed")


def _apply(cluster: Cluster) -> None:
    for item in load_all((FILES / "shop.yaml").read_text(encoding="utf-8"), "shop.yaml"):
        cluster.create(f"{item['kind'].lower()}s", cluster.namespace, item)


def _crash_looping_pod(cluster: Cluster) -> str:
    """The name of the Deployment's pod, once it is in CrashLoopBackOff."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for pod in cluster.list("pods", cluster.namespace):
            if "CrashLoopBackOff" in str(pod.get("status")):
                return str(pod["metadata"]["name"])
        time.sleep(0.2)
    raise RescueError("the demo's pod did not crash", "look at: rescue sandbox status --name demo", ExitCode.CLUSTER)


@click.command()
@click.option("--case", type=click.Path(path_type=Path, file_okay=False), help="Folder for everything collected.")
@click.pass_context
def demo(ctx: click.Context, case: Path | None) -> None:
    """Show the main job: a Deployment crash-loops in a sandbox, and rescue says why.

    Needs podman and root; nothing stays behind but the case.
    """
    console = Console()
    with as_keyboard_interrupt(), _sandbox(console) as kubeconfig:
        cluster = connect(None, "default", kubeconfig)
        _apply(cluster)
        console.step("Deployment shop created; waiting for its crash loop")
        options = Options(pod=_crash_looping_pod(cluster), case=case)
        target = choose_target(cluster.get("pods", cluster.namespace, options.pod), None, None)
        console.step(f"its log says: {cluster.logs('default', options.pod, target.container, False, 5).strip()!r}")
        console.step(f"$ rescue pod {options.pod}")
        report = rescue_pod(replace(options, kubeconfig=kubeconfig), console)
    click.echo(render(report), nl=False)
    ctx.exit(report.exit_code)
