"""Commands in running containers: ``runc exec`` with its own pipes or terminal.

podman exec takes three times as long and keeps output in a detached monitor; the container is runc's anyway.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from rescue.sandbox.kubelet.podman import RUNTIME
from rescue.sandbox.kubelet.terminal import Terminal
from rescue.sandbox.kubelet.wording import exec_error

STDOUT, STDERR = 1, 2
CHUNK = 1 << 16
# Chunks in memory while the reader is slow; then the command waits, as on a full pipe.
QUEUE = 64


class Reader(Protocol):
    """Where output comes from: a pipe or a terminal."""

    async def read(self, n: int, /) -> bytes:
        """The next bytes, at most ``n``; none at the end."""


class ExecError(Exception):
    """The command could not be started; ``code``, ``reason`` and ``message`` make the Status that says so."""

    code = 500
    reason = "InternalError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ExecSession:
    """One command; read ``output()`` to its end, then ``wait()`` for the exit code (ExecError)."""

    def __init__(self, process: Process, folder: Path, terminal: Terminal | None) -> None:
        self._process = process
        self._folder = folder
        self._terminal = terminal
        self._queue: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(QUEUE)
        self._failure = b""
        self._pump = asyncio.create_task(self._collect())

    async def write(self, data: bytes) -> None:
        """Bytes for the command's stdin; ignored after its end."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, OSError):
            if self._terminal is not None:
                await self._terminal.write(data)
            elif self._process.stdin is not None:
                self._process.stdin.write(data)
                await self._process.stdin.drain()

    async def close_stdin(self) -> None:
        """End of input: a closed pipe, or Ctrl-D on a terminal."""
        if self._terminal is not None:
            await self.write(b"\x04")
        elif self._process.stdin is not None:
            self._process.stdin.close()

    async def resize(self, width: int, height: int) -> None:
        """Set the terminal's size in characters."""
        if self._terminal is not None and self._process.returncode is None:
            self._terminal.resize(width, height)
            self._process.send_signal(signal.SIGWINCH)

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """(1 stdout | 2 stderr, bytes) until the command has ended; a terminal has stdout alone."""
        while (item := await self._queue.get()) is not None:
            yield item

    async def wait(self) -> int:
        """The exit code (128 + signal number when killed by one); ExecError."""
        await self._pump
        code = await self._process.wait()
        if self._failure:
            raise ExecError(exec_error(self._failure.decode(errors="replace")))
        return code

    async def kill(self) -> None:
        """Kill the command: the client went away."""
        # runc names the command's pid only after it has begun; without it the command would live on.
        await self._has_started()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int(self._pid_file.read_text()), signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._pump.cancel()
        await self._process.wait()
        self._clean()

    @property
    def _pid_file(self) -> Path:
        return self._folder / "pid"

    async def _collect(self) -> None:
        try:
            if self._terminal is not None:
                await self._forward_checked(self._terminal, STDOUT)
            else:
                assert self._process.stdout is not None
                assert self._process.stderr is not None
                await asyncio.gather(
                    self._forward(self._process.stdout, STDOUT),
                    self._forward_checked(self._process.stderr, STDERR),
                )
            await self._process.wait()
        finally:
            self._clean()
        await self._queue.put(None)

    async def _forward(self, reader: Reader, stream: int) -> None:
        while data := await reader.read(CHUNK):
            await self._queue.put((stream, data))

    async def _forward_checked(self, reader: Reader, stream: int) -> None:
        """As ``_forward``, for the stream on which runc also says that it could not start the command."""
        held = b""
        while data := await reader.read(CHUNK):
            held += data
            if await self._has_started():
                await self._queue.put((stream, held))
                held = b""
        await self._process.wait()
        if not self._pid_file.exists():
            self._failure = held or b"the command could not be started"
        elif held:
            await self._queue.put((stream, held))

    async def _has_started(self) -> bool:
        for _ in range(100):
            if self._pid_file.exists() or self._process.returncode is not None:
                break
            await asyncio.sleep(0.01)
        return self._pid_file.exists()

    def _clean(self) -> None:
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None
        shutil.rmtree(self._folder, ignore_errors=True)


async def start_exec(container: str, command: list[str], *, stdin: bool, tty: bool) -> ExecSession:
    """Start ``command`` in the container of this id, with its user, environment and directory."""
    folder = Path(tempfile.mkdtemp(prefix="rescue-exec-"))
    # With a log file of its own, runc says on stderr only why it failed.
    options = ["--log", str(folder / "log"), "exec", "--pid-file", str(folder / "pid")]
    if tty:
        terminal = Terminal()
        options += ["--tty", "--env", "TERM=xterm"]
        try:
            process = await asyncio.create_subprocess_exec(
                RUNTIME, *options, container, *command,
                stdin=terminal.other, stdout=terminal.other, stderr=terminal.other,
            )  # fmt: skip
        finally:
            os.close(terminal.other)
        return ExecSession(process, folder, terminal)
    process = await asyncio.create_subprocess_exec(
        RUNTIME, *options, container, *command, stdin=PIPE if stdin else DEVNULL, stdout=PIPE, stderr=PIPE
    )
    return ExecSession(process, folder, None)


async def run_exec(container: str, command: list[str], timeout: float) -> tuple[int, bytes]:
    """Exit code and joined output of a short command; TimeoutError after ``timeout`` seconds; ExecError."""
    session = await start_exec(container, command, stdin=False, tty=False)
    try:
        async with asyncio.timeout(timeout):
            output = b"".join([data async for _, data in session.output()])
            return await session.wait(), output
    except (TimeoutError, asyncio.CancelledError):
        await session.kill()
        raise
