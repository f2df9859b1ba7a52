"""What a user types to have the clone otherwise, as Wishes.  Pure."""

import re
from collections.abc import Iterable
from typing import Any

from rescue.claims import EVERY, MODES
from rescue.errors import ExitCode, RescueError
from rescue.options import Wishes

_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")  # Kubernetes: IsEnvVarName
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?")


def _wrong(option: str, text: str, example: str) -> RescueError:
    return RescueError(f"{option} {text!r} cannot be read", f"as in: {option} {example}", ExitCode.USAGE)


def claim(text: str) -> tuple[str, str]:
    """``NAME=MODE``, or ``MODE`` alone for every claim."""
    name, equals, mode = text.rpartition("=")
    if mode not in MODES or bool(equals) != bool(name):
        raise _wrong("--pvc", text, f"data-0=clone   (modes: {', '.join(MODES)})")
    return name or EVERY, mode


def image(text: str, target: str | None) -> tuple[str, str]:
    """``CONTAINER=IMAGE``, or ``IMAGE`` alone for the container of ``-c``."""
    name, equals, reference = text.partition("=")
    if not equals:
        name, reference = target or "", text
    if not name or not reference:
        raise _wrong("--set-image", text, "web=shop:2")
    return name, reference


def env(texts: Iterable[str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Values to set (``K=V``) and names to take away (``K-``); what is said last of a name counts.

    In a value Kubernetes expands $(VAR), as in a manifest.
    """
    wanted: dict[str, str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        taken = not equals and text.endswith("-")
        name = name.removesuffix("-") if taken else name
        if not (equals or taken) or not _ENV_NAME.fullmatch(name):
            raise _wrong("--env", text, "LOG_LEVEL=debug, or to take it away: --env LOG_LEVEL-")
        wanted[name] = None if taken else value
    given = tuple((name, value) for name, value in wanted.items() if value is not None)
    return given, tuple(name for name, value in wanted.items() if value is None)


def run_as(text: str) -> int:
    """A numeric uid, or ``root``."""
    if text == "root":
        return 0
    if not text.isdecimal() or int(text) >= 2**31:
        raise _wrong("--run-as", text, "1000, or: --run-as root")
    return int(text)


def memory(text: str) -> str:
    """A quantity of bytes."""
    if not _QUANTITY.fullmatch(text):
        raise _wrong("--memory", text, "512Mi")
    return text


def read(
    container: str | None,
    pvc: Iterable[str] = (),
    set_image: Iterable[str] = (),
    env_changes: Iterable[str] = (),
    run_as_user: str | None = None,
    memory_limit: str | None = None,
    **others: Any,
) -> Wishes:
    """The Wishes behind the options; ``others`` are fields of Wishes. Raises RescueError (usage)."""
    given, taken = env(env_changes)
    return Wishes(
        claims=tuple(claim(text) for text in pvc),
        images=tuple(image(text, container) for text in set_image),
        env=given,
        unset=taken,
        memory=None if memory_limit is None else memory(memory_limit),
        run_as=None if run_as_user is None else run_as(run_as_user),
        **others,
    )
