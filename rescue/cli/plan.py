"""rescue plan and rescue rules: what would be changed, and why."""

import json
from pathlib import Path
from typing import Any

import click

from rescue import planning
from rescue.cli.options import plan_options, to_options
from rescue.cli.source import SourceCommand, source_options
from rescue.difference import render as render_diff
from rescue.dump import dump
from rescue.model import Plan
from rescue.options import Options
from rescue.source import from_file

FORMATS = {
    "diff": lambda plan: render_diff(plan),
    "patch": lambda plan: json.dumps(plan.patch, indent=2) + "\n",
    "yaml": lambda plan: dump(plan.clone),
}


@click.command(cls=SourceCommand)
@source_options
@plan_options
@click.option("-o", "--output", type=click.Choice(sorted(FORMATS)), default="diff", show_default=True)
def plan(output: str, **values: Any) -> None:
    """Show the clone that `rescue pod` would make; create nothing. With -f no cluster is asked.

    \b
    Examples:
      rescue plan shop-7d4b9c-x2x7q -o diff
      rescue plan deploy/shop -o yaml | kubectl apply --dry-run=server -f -
      rescue plan -f pod.yaml -o patch
    """
    made = _plan(to_options(**values))
    for warning in made.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(FORMATS[output](made), nl=False)


def _plan(options: Options) -> Plan:
    if options.filename is None:
        return planning.plan_pod(options)
    return planning.plan_offline(from_file(options.filename, options.namespace).pod, options)


@click.command()
@click.option("--patch", "patches", multiple=True, type=click.Path(path_type=Path, dir_okay=False))
def rules(patches: tuple[Path, ...]) -> None:
    """List what is changed in a clone, and why."""
    for rule in planning.load_rules(patches, ()):
        click.echo(f"{rule.id:<24} {rule.op:<8} {rule.why}")
