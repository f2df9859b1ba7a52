"""Options that several commands share, and how they become one frozen value."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from rescue import wishes
from rescue.claims import MODES
from rescue.options import DEFAULT_TOOLKIT_IMAGE, Options

Function = TypeVar("Function", bound=Callable[..., Any])

_PLACE = (
    click.option("-n", "--namespace", help="Namespace; default: the context's."),
    click.option("--context", help="Context of the kubeconfig; default: the current one."),
)
_CLONE = (
    click.option("-c", "--container", help="Container; default: the worst failing one."),
    click.option("--no-scout", "scout", flag_value=False, default=True, help="Start no scout pod to see a command."),
    click.option(
        "--pvc",
        multiple=True,
        metavar="[NAME=]MODE",
        help=f"What a claim becomes: {', '.join(MODES)}; default: empty. Without NAME: every claim.",
    ),
    click.option("--set-image", multiple=True, metavar="CONTAINER=IMAGE", help="Another image."),
    click.option("--env", "env_changes", multiple=True, metavar="K=V|K-", help="Set a variable, or take it away."),
    click.option("--memory", "memory_limit", metavar="SIZE", help="Another memory limit: would it live with 512Mi?"),
    click.option("--run-as", "run_as_user", metavar="UID|root", help="Another user."),
    click.option("--requests", type=click.Choice(["keep", "minimal"]), default="keep", show_default=True),
    click.option("--same-node/--any-node", default=None, help="Default: the same node where the pod uses its data."),
    click.option(
        "--identity",
        type=click.Choice(["on", "off"]),
        default="on",
        show_default=True,
        help="Host name and downward API values as the original's.",
    ),
    click.option("--only-target", is_flag=True, help="Leave out the other containers and sidecars."),
    click.option("--without", multiple=True, metavar="NAME", help="Leave out a container or init container."),
)
_RULES = (
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
        type=click.IntRange(60, 2**31 - 1),  # The server's own bound.
        help="Seconds from its start after which the cluster ends a clone that was left behind.",
    ),
)
_WISHES = ("pvc", "set_image", "env_changes", "memory_limit", "run_as_user", "same_node", "only_target", "without")


def _all(function: Function, options: tuple[Callable[[Any], Any], ...]) -> Function:
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), function)


def place_options(function: Function) -> Function:
    """Where to look: namespace and context."""
    return _all(function, _PLACE)


def plan_options(function: Function) -> Function:
    """Everything that decides how the clone looks."""
    return _all(function, (*_PLACE, *_CLONE, *_RULES))


def to_options(**values: Any) -> Options:
    """click's values as Options; raises RescueError (usage) for one that cannot be read."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    wanted = {name: values.pop(name) for name in _WISHES}
    wished = wishes.read(
        values.get("container"),
        identity=values.pop("identity") == "on",
        minimal_requests=values.pop("requests") == "minimal",
        **wanted,
    )
    return Options(wishes=wished, **values)
