"""``rescue sandbox``: an embedded cluster on real containers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rescue.console import Console
from rescue.errors import ExitCode, RescueError
from rescue.sandbox import manage, place

_NAME = click.option(
    "--name", default=place.DEFAULT_NAME, show_default=True, help="Name of the sandbox; several can run at a time."
)


@click.group()
def sandbox() -> None:
    """An embedded cluster for trying and testing; not for production.

    It serves the part of the Kubernetes API that rescue and kubectl need on loopback, in front of real containers
    that podman runs.
    """


def _command(function: Callable[..., Any]) -> click.Command:
    return sandbox.command()(_NAME(function))


@_command
def up(name: str) -> None:
    """Start the sandbox; it runs until `rescue sandbox down`."""
    where = place.of(name)
    Console().step(f"starting sandbox {name}")
    if not manage.up(where):
        Console().warn(f"sandbox {name} runs already")
    click.echo(f"export KUBECONFIG={where.kubeconfig}")


@_command
def down(name: str) -> None:
    """Stop the sandbox and remove its containers, networks and files."""
    if not manage.down(place.of(name)):
        Console().warn(f"there is no sandbox {name}")


@_command
def status(name: str) -> None:
    """Say whether the sandbox runs; exit 4 when it does not."""
    where = place.of(name)
    if not manage.answers(where):
        raise _not_running(name)
    click.echo(f"sandbox {name} runs (pid {manage.running_pid(where)}); kubeconfig: {where.kubeconfig}")


@_command
def kubeconfig(name: str) -> None:
    """Print the path of the sandbox's kubeconfig."""
    where = place.of(name)
    if not where.kubeconfig.exists():
        raise _not_running(name)
    click.echo(where.kubeconfig)


@_command
@click.argument(
    "archives", nargs=-1, required=True, metavar="IMAGE.tar...", type=click.Path(exists=True, path_type=Path)
)
def load(name: str, archives: tuple[Path, ...]) -> None:
    """Load image archives (docker or OCI); the sandbox has no registry."""
    for image in manage.load(place.of(name), list(archives)):
        click.echo(image)


def _not_running(name: str) -> RescueError:
    option = "" if name == place.DEFAULT_NAME else f" --name {name}"
    return RescueError(f"sandbox {name} is not running", f"rescue sandbox up{option}", ExitCode.CLUSTER)
