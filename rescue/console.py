"""Who writes where: results to stdout, progress and errors to stderr."""

import os
import sys
import time
from contextlib import suppress
from typing import TextIO


def is_terminal() -> bool:
    """Whether results go to a person's eyes and not into a file or another program."""
    return sys.stdout.isatty()


def wants_colour() -> bool:
    """Whether results may be coloured: on a terminal that can, unless the user set NO_COLOR (https://no-color.org)."""
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Console:
    """Progress lines with the seconds since the start; nothing of it goes to stdout."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._start = time.monotonic()

    def step(self, text: str) -> None:
        """Say what happens now."""
        if not self._quiet:
            self._write(f"{time.monotonic() - self._start:5.1f}s  {text}")

    def warn(self, text: str) -> None:
        """Say what the user must know, also when quiet."""
        self._write(f"warning: {text}")

    def _write(self, line: str) -> None:
        with suppress(OSError):  # The terminal was closed: the clean-up goes on without it.
            self._stream.write(line + "\n")
            self._stream.flush()
