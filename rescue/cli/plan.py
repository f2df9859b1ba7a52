"""rescue plan: what would be changed, and why."""

import json
from collections.abc import Callable
from typing import Any

import click

from rescue import planning
from rescue.cli.options import plan_options, to_options
from rescue.cli.source import SourceCommand, source_options
from rescue.console import wants_colour
from rescue.difference import coloured, render
from rescue.dump import dump
from rescue.model import Plan
from rescue.options import Options
from rescue.source import from_file

FORMATS: dict[str, Callable[[Plan], str]] = {
    "diff": render,
    "patch": lambda plan: json.dumps(plan.patch, indent=2) + "\n",
    "yaml": lambda plan: dump(plan.clone),
}


@click.command(cls=SourceCommand)
@source_options
@plan_options
@click.option("-o", "--output", type=click.Choice(sorted(FORMATS)), default="diff", show_default=True)
@click.option("--no-color", is_flag=True, help="Plain text on a terminal too, as with the variable NO_COLOR.")
def plan(output: str, no_color: bool, **values: Any) -> None:
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
    text = FORMATS[output](made)
    click.echo(coloured(text) if output == "diff" and not no_color and wants_colour() else text, nl=False)


def _plan(options: Options) -> Plan:
    if options.filename is None:
        return planning.plan_pod(options)
    return planning.plan_offline(from_file(options.filename, options.namespace).pod, options)
