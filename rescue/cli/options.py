"""Options that several commands share, and how they become one frozen value."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from rescue.options import DEFAULT_TOOLKIT_IMAGE, Options

Function = TypeVar("Function", bound=Callable[..., Any])

_PLAN_OPTIONS = (
    click.option("-n", "--namespace", help="Namespace; default: the context's."),
    click.option("--context", help="Context of the kubeconfig; default: the current one."),
    click.option("-c", "--container", help="Container; default: the worst failing one."),
    click.option(
        "--patch",
        "patches",
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="File with more rules, or with others of the same id.",
    ),
    click.option("--skip-rule", "skip_rules", multiple=True, metavar="ID", help="Leave a rule out."),
    click.option(
        "--toolkit-image",
        default=DEFAULT_TOOLKIT_IMAGE,
        show_default=True,
        envvar="RESCUE_TOOLKIT_IMAGE",
        help="Image with a static /bin/busybox.",
    ),
    click.option(
        "--ttl",
        default=3600,
        show_default=True,
        type=click.IntRange(60),
        help="Seconds after which the cluster itself ends a clone that was left behind.",
    ),
)


def plan_options(function: Function) -> Function:
    """Everything that decides how the clone looks."""
    return reduce(lambda wrapped, option: option(wrapped), reversed(_PLAN_OPTIONS), function)


def to_options(**values: Any) -> Options:
    """click's values as Options."""
    tuples = {key: tuple(value) for key, value in values.items() if isinstance(value, list | tuple)}
    return Options(**{**values, **tuples})
