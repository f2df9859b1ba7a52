"""What the API needs of the kubelet, so that it can be tested without containers."""

from collections.abc import AsyncIterator
from typing import Protocol

from rescue.sandbox.objects import Object


class ExecSession(Protocol):
    """A command that runs in a container, with its streams."""

    async def write(self, data: bytes) -> None:
        """More standard input."""

    async def close_stdin(self) -> None:
        """The end of standard input."""

    async def resize(self, width: int, height: int) -> None:
        """The terminal's new size in characters."""

    def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """(1 for stdout or 2 for stderr, bytes) until the command has ended."""

    async def wait(self) -> int:
        """The exit code."""

    async def kill(self) -> None:
        """The client went away."""


class Backend(Protocol):
    """The kubelet as the API server calls it."""

    def logs(
        self,
        pod: Object,
        container: str,
        *,
        previous: bool,
        follow: bool,
        tail_lines: int | None,
        since_seconds: int | None,
        timestamps: bool,
        limit_bytes: int | None,
    ) -> AsyncIterator[bytes]:
        """The log's bytes; an error has ``code``, ``reason`` and ``message``."""

    async def exec(self, pod: Object, container: str, command: list[str], *, stdin: bool, tty: bool) -> ExecSession:
        """Start a command in a running container."""
