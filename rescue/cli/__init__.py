"""The command line: commands found by name when they are needed, and the one place where errors become words."""

import importlib
import os
import sys
import traceback
from typing import Any

import click

from rescue import __version__
from rescue.errors import ExitCode, RescueError

# name: (module, first line of help); a module is imported when its command runs, so that --help stays fast.
COMMANDS = {
    "pod": ("rescue.cli.pod", "Say why a pod crashes: clone, replay under strace, diagnose."),
    "plan": ("rescue.cli.plan", "Show the clone that would be made; create nothing."),
    "diagnose": ("rescue.cli.case", "Judge a case again, without a cluster."),
    "report": ("rescue.cli.case", "Show a case's report, without a cluster."),
    "ls": ("rescue.cli.clones", "List the clones that are still in the cluster."),
    "clean": ("rescue.cli.clones", "Delete the clones that were left behind."),
    "rules": ("rescue.cli.rules", "List what is changed in a clone, and why."),
    "sandbox": ("rescue.cli.sandbox", "An embedded cluster on real containers, for trying and testing."),
    "demo": ("rescue.cli.demo", "A crash-looping Deployment in a sandbox, rescued."),
}
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
UNREAD = 141  # 128 + SIGPIPE, which ends other programs when their reader has gone, as in `rescue rules | head -1`

EPILOG = (
    "Exit codes: " + "; ".join(f"{code.value} {code.meaning}" for code in ExitCode) + f"; {INTERRUPTED} interrupted."
)


class Root(click.Group):
    """Finds commands lazily, and turns errors into ``error:`` and ``hint:`` lines and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(COMMANDS[cmd_name][0])
        except ModuleNotFoundError as error:
            raise RescueError(
                f"`rescue {cmd_name}` needs {error.name}, which is not installed",
                "install it with the sandbox: pip install 'rescue[sandbox]'",
                ExitCode.USAGE,
            ) from error
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The table of commands, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; RescueError and Ctrl-C end here."""
        try:
            return super().invoke(ctx)
        except RescueError as error:
            _complain(error, ctx.params.get("debug", False))
            ctx.exit(int(error.code))
        except KeyboardInterrupt:
            click.echo("error: interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            _write_no_more()
            ctx.exit(UNREAD)
        except Exception as error:  # A bug: the one place where it is caught.
            bug = RescueError(f"unexpected: {error!r}", "this is a bug in rescue; run it again as: rescue --debug …")
            _complain(bug, ctx.params.get("debug", False))
            ctx.exit(int(bug.code))


def _write_no_more() -> None:
    """Let Python's own last flush fail no more (Python: signal, note on SIGPIPE)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(error: RescueError, debug: bool) -> None:
    if debug:
        traceback.print_exc(file=sys.stderr)
    click.echo(f"error: {error.message}", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)


@click.group(cls=Root, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rescue")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """Why does this pod crash?

    rescue clones a failing pod so that nothing in production is touched, replays its original command inside the
    clone under strace with memory monitoring, and says why it dies, with the evidence.

    \b
    Examples:
      rescue pod shop-7d4b9c-x2x7q -n prod
      rescue pod shop-7d4b9c-x2x7q -o json | jq .verdict.code
      rescue plan shop-7d4b9c-x2x7q -o diff
      rescue demo
    """
