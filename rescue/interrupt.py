"""Signals at the right moment: one way to be interrupted, and none while a clone is made or deleted."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _wanted() -> list[signal.Signals]:
    """All of them but those that whoever started us ignores, as nohup(1) does with SIGHUP."""
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A function, not SIG_IGN, which the programs that we start would inherit."""


def _raise(_number: int, _frame: FrameType | None) -> None:
    """Once is enough: a second signal must not break into the clean-up after the first."""
    for number in _wanted():
        signal.signal(number, _ignore)
    raise KeyboardInterrupt


@contextmanager
def as_keyboard_interrupt() -> Iterator[None]:
    """Within the block the first SIGINT, SIGTERM or SIGHUP (a closed terminal) raises KeyboardInterrupt."""
    before = {number: signal.signal(number, _raise) for number in _wanted()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Within the block signals only wait; when it has ended, KeyboardInterrupt is raised if any came."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in _wanted()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
