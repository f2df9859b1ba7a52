"""What a pod is named with, for every command on one pod: ``[POD | -l SELECTOR | -f FILE] [-- COMMAND]``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from rescue.workloads import find_kind

Function = TypeVar("Function", bound=Callable[..., Any])

_NONE = "name a POD or KIND/NAME, or give -l SELECTOR or -f FILE"


class SourceCommand(click.Command):
    """Takes exactly one source as ``pod``, ``selector`` or ``filename``, and all that follows ``--`` as ``command``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does with what stands before ``--``; what follows is not looked at."""
        if (foreign := next((text for text in args if not _is_text(text)), None)) is not None:
            raise click.UsageError(f"{foreign!r} is not UTF-8, and Kubernetes takes only text", ctx)
        end = args.index("--") if "--" in args else len(args)
        command = tuple(args[end + 1 :])
        rest = super().parse_args(ctx, args[:end])
        if not ctx.resilient_parsing:
            if end < len(args) and not (command and command[0]):
                raise click.UsageError("no command follows --", ctx)
            ctx.params.update(command=command, pod=_one_source(ctx))
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The line after ``Usage:``."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def _is_text(argument: str) -> bool:
    """Whether an argument was UTF-8: Python keeps other bytes as surrogates, which no JSON can hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in argument)


def _one_source(ctx: click.Context) -> str:
    """The POD that was named, or nothing when another source was given; raises UsageError unless it is exactly one."""
    names: tuple[str, ...] = ctx.params["pod"]
    given = [value for value in (*names, ctx.params["selector"], ctx.params["filename"]) if value is not None]
    if len(names) > 1:
        raise click.UsageError(_too_many(names), ctx)
    if len(given) > 1:
        raise click.UsageError("POD, -l and -f exclude each other", ctx)
    if not given or not str(given[0]):
        raise click.UsageError(_NONE, ctx)
    return names[0] if names else ""


def _too_many(names: tuple[str, ...]) -> str:
    if find_kind(names[0]):
        return f"kind and name are one word: {names[0]}/{names[1]}"
    return f"one POD at a time, not also {names[1]!r}; a command comes after --"


def source_options(function: Function) -> Function:
    """The argument and the options that say which pod; the command must be a SourceCommand."""
    options = (
        click.argument("pod", nargs=-1, metavar="[POD | KIND/NAME]"),
        click.option("-l", "--selector", help="Take the worst failing pod that matches, as with kubectl."),
        click.option(
            "-f",
            "--filename",
            type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
            help="Take the pod, or a workload's pod template, of a file that is not in the cluster; - is stdin.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
