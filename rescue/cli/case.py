"""rescue diagnose and rescue report: from a case folder alone."""

from pathlib import Path

import click

from rescue.case import open_case
from rescue.judge import judge, record
from rescue.report import FORMATS

_CASE = click.argument("case", type=click.Path(path_type=Path, file_okay=False))
_OUTPUT = click.option("-o", "--output", type=click.Choice(sorted(FORMATS)), default="text", show_default=True)


@click.command()
@_CASE
@_OUTPUT
@click.pass_context
def diagnose(ctx: click.Context, case: Path, output: str) -> None:
    """Judge CASE again, write diagnosis.json, exit with its code as `rescue pod` would; no cluster is asked.

    \b
    Example:
      rescue diagnose rescue-cases/prod-shop-20260101-030000-x2b4c
    """
    result = record(open_case(case))
    click.echo(FORMATS[output](result), nl=False)
    ctx.exit(result.exit_code)


@click.command()
@_CASE
@_OUTPUT
def report(case: Path, output: str) -> None:
    """Show the report of CASE, writing nothing; exit code 0 whatever it says; no cluster is asked.

    \b
    Example:
      rescue report rescue-cases/prod-shop-20260101-030000-x2b4c -o json
    """
    click.echo(FORMATS[output](judge(open_case(case))), nl=False)
