"""rescue pod: the main job."""

from pathlib import Path
from typing import Any

import click

from rescue.cli.options import plan_options, to_options
from rescue.cli.source import SourceCommand, source_options
from rescue.console import Console
from rescue.flow import rescue_pod
from rescue.report import FORMATS


@click.command(cls=SourceCommand)
@source_options
@plan_options
@click.option(
    "--seconds", type=click.FloatRange(1), help="Longest replay; default: three times the original's life, 20 to 600."
)
@click.option("--wait", default=120.0, show_default=True, type=click.FloatRange(1), help="Longest wait for the clone.")
@click.option(
    "--keep", is_flag=True, help="Do not delete the clone. Its --ttl ends what runs in it, and leaves the pod."
)
@click.option("--case", type=click.Path(path_type=Path, file_okay=False), help="Folder for everything collected.")
@click.option("-o", "--output", type=click.Choice(sorted(FORMATS)), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="No progress lines.")
@click.pass_context
def pod(ctx: click.Context, /, output: str, quiet: bool, **values: Any) -> None:
    """Say why a pod crashes.

    Of a workload (deploy, sts, ds, rs, rc, job, cronjob) or a selector the worst failing pod is taken. The command of
    the container is replayed; give another one after --.

    \b
    Examples:
      rescue pod shop-7d4b9c-x2x7q -n prod
      rescue pod deploy/shop -n prod -c web -- /srv/shop --verbose
      rescue pod -l app=shop -o json --case ./case
      kubectl get deploy shop -o yaml | rescue pod -f - -n staging
    """
    report = rescue_pod(to_options(**values), Console(quiet=quiet))
    click.echo(FORMATS[output](report), nl=False)
    ctx.exit(report.exit_code)
