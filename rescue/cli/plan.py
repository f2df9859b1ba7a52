"""rescue plan and rescue rules: what would be changed, and why."""

import json
from pathlib import Path
from typing import Any

import click

from rescue import planning
from rescue.cli.options import plan_options, to_options
from rescue.difference import render as render_diff
from rescue.errors import ExitCode, RescueError
from rescue.manifest import dump, load_all
from rescue.model import JsonObject, Plan

FORMATS = {
    "diff": lambda plan: render_diff(plan),
    "patch": lambda plan: json.dumps(plan.patch, indent=2) + "\n",
    "yaml": lambda plan: dump(plan.clone),
}


def _manifest(path: Path) -> JsonObject:
    """The one Pod in a YAML or JSON file."""
    try:
        documents = load_all(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise RescueError(f"{path}: {error}", "give a readable manifest", ExitCode.USAGE) from error
    items = [item for doc in documents for item in _items(doc)]
    pods = [item for item in items if item.get("kind") == "Pod"]
    if len(pods) != 1 or not _has_containers(pods[0]):
        kinds = ", ".join(sorted({str(item.get("kind")) for item in items})) or "nothing"
        raise RescueError(
            f"{path} holds no single Pod with containers, but: {kinds}",
            "try: kubectl get pod NAME -o yaml",
            ExitCode.USAGE,
        )
    pods[0].setdefault("metadata", {}).setdefault("name", "pod")
    return pods[0]


def _items(document: Any) -> list[JsonObject]:
    """The objects in a document, which may be a List."""
    if not isinstance(document, dict):
        return []
    items = document.get("items") if document.get("kind") == "List" else [document]
    return [item for item in items or () if isinstance(item, dict)]


def _has_containers(pod: JsonObject) -> bool:
    """Whether a pod has the shape that a server would take: no more is looked at here."""
    spec, metadata = pod.get("spec"), pod.get("metadata", {})
    containers = spec.get("containers") if isinstance(spec, dict) else None
    if not isinstance(containers, list) or not isinstance(metadata, dict):
        return False
    return bool(containers) and all(isinstance(c, dict) and {"name", "image"} <= c.keys() for c in containers)


class _Plan(click.Command):
    """Remembers whether ``--`` was typed, which click forgets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does."""
        ctx.meta["dashes"] = "--" in args
        return super().parse_args(ctx, args)


@click.command(cls=_Plan)
@click.argument("pod", required=False, default="")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("-f", "--filename", type=click.Path(path_type=Path, dir_okay=False), help="A pod's manifest, no cluster.")
@plan_options
@click.option("-o", "--output", type=click.Choice(sorted(FORMATS)), default="diff", show_default=True)
@click.pass_context
def plan(ctx: click.Context, /, filename: Path | None, output: str, **values: Any) -> None:
    """Show the clone that `rescue pod POD` would make; create nothing.

    \b
    Examples:
      rescue plan shop-7d4b9c-x2x7q -o diff
      rescue plan -f pod.yaml -o patch
      rescue plan shop-7d4b9c-x2x7q -o yaml | kubectl apply --dry-run=server -f -
    """
    made = _plan(filename, values, ctx.meta["dashes"])
    for warning in made.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(FORMATS[output](made), nl=False)


def _plan(filename: Path | None, values: dict[str, Any], dashes: bool) -> Plan:
    if filename is None:
        if not values["pod"]:
            raise click.UsageError("name a POD, or give a manifest with -f")
        return planning.plan_pod(to_options(**values))
    if values["pod"] and not dashes:
        raise click.UsageError("-f takes no POD; a command comes after --")
    if values["pod"]:  # with -f the first word belongs to the command after --
        values = {**values, "command": (values["pod"], *values["command"]), "pod": ""}
    return planning.plan_offline(_manifest(filename), to_options(**values))


@click.command()
@click.option("--patch", "patches", multiple=True, type=click.Path(path_type=Path, dir_okay=False))
def rules(patches: tuple[Path, ...]) -> None:
    """List what is changed in a clone, and why."""
    for rule in planning.load_rules(patches, ()):
        click.echo(f"{rule.id:<24} {rule.op:<8} {rule.why}")
