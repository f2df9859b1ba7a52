"""The podman command line as an asyncio object; all that a sandbox makes carries its label."""

import asyncio
import json
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LABEL = "dev.rescue.sandbox"
RUNTIME = "runc"
# cgroupfs and low ulimits: a machine without systemd or CAP_SYS_RESOURCE refuses podman's defaults.
GLOBAL = ("podman", "--runtime", RUNTIME, "--cgroup-manager", "cgroupfs")
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")
# More at a time only wait for podman's own locks and starve the containers of the processor.
PARALLEL = 4
# Before a stream of events that has ended is opened again (seconds).
REOPEN = 0.2
# The exit code after SIGKILL.
KILLED = 137


class PodmanError(Exception):
    """A podman command failed; ``text`` is what it said on stderr, without the ``Error:`` prefix."""

    def __init__(self, command: Sequence[str], code: int, stderr: str) -> None:
        self.text = stderr.strip().removeprefix("Error: ")
        self.code = code
        super().__init__(f"podman {' '.join(command[:2])}: exit {code}: {self.text}")


@dataclass(frozen=True)
class Death:
    """The end of a container: its id, exit code (128 + signal) and RFC 3339 time."""

    container: str
    code: int
    time: str


class Podman:
    """podman for one sandbox; ``sandbox`` is its name."""

    def __init__(self, sandbox: str) -> None:
        self.sandbox = sandbox
        self._slots = asyncio.Semaphore(PARALLEL)

    @property
    def label(self) -> str:
        """The label of everything this sandbox makes, as ``key=value``."""
        return f"{LABEL}={self.sandbox}"

    async def call(self, *args: str, folder: Path | None = None) -> str:
        """Run ``podman args`` and return its stdout; PodmanError.

        The monitor of a container that is started keeps ``folder`` as its directory: some versions of
        conmon write a file ``oom`` there.
        """
        async with self._slots:
            process = await asyncio.create_subprocess_exec(
                *GLOBAL, *args, cwd=folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
            )
            talk = asyncio.ensure_future(process.communicate())
            try:
                stdout, stderr = await asyncio.shield(talk)
            except asyncio.CancelledError:
                # Half a container is worse than a late end.
                await talk
                raise
        if process.returncode:
            raise PodmanError(args, process.returncode, stderr.decode(errors="replace"))
        return stdout.decode(errors="replace")

    async def json(self, *args: str) -> Any:
        """The JSON that ``podman args`` prints."""
        return json.loads(await self.call(*args))

    async def create(self, name: str, options: Sequence[str], image: Sequence[str]) -> str:
        """Create a container that is not yet running; returns its id.

        ``image`` ends the command line: the image's name (or a rootfs) and the arguments.
        """
        output = await self.call("create", "--name", name, "--label", self.label, *LIMITS, *options, *image)
        return output.split()[-1]

    async def remove(self, *containers: str) -> None:
        """Kill and remove them, and those that share their namespaces; one that is gone is no error."""
        if containers:
            await self.call("rm", "--force", "--ignore", "--depend", "--time", "0", *containers)

    async def signal(self, container: str, signal: str) -> None:
        """Send a signal to the container's PID 1; one that has ended already is no error."""
        try:
            await self.call("kill", "--signal", signal, container)
        except PodmanError as error:
            if not any(word in error.text for word in ("not running", "no such container", "is not up")):
                raise

    async def saw_oom(self, container: str) -> bool:
        """Whether podman says that an ended container was killed for memory; false when it is gone."""
        try:
            answer = await self.call("container", "inspect", "--format", "{{.State.OOMKilled}}", container)
        except PodmanError:
            return False
        return answer.strip() == "true"

    async def death(self, container: str) -> Death | None:
        """The end of a container that has one; None while it runs.  One that is gone was killed."""
        template = "{{.State.Status}} {{.State.ExitCode}} {{json .State.FinishedAt}}"
        try:
            answer = await self.call("container", "inspect", "--format", template, container)
        except PodmanError as error:
            if "no such container" not in error.text:
                raise
            return Death(container, KILLED, datetime.now(UTC).isoformat())
        state, code, finished = answer.split()
        return Death(container, int(code), json.loads(finished)) if state in ("exited", "stopped") else None

    async def deaths(self) -> AsyncIterator[Death]:
        """Every ``died`` event of the sandbox's containers from now on.

        podman ends the stream when it rotates its log of events; it is opened again where it was.
        """
        since = time.time()
        while True:
            async for death in self._deaths_since(since):
                since = datetime.fromisoformat(death.time).timestamp()
                yield death
            await asyncio.sleep(REOPEN)

    async def _deaths_since(self, since: float) -> AsyncIterator[Death]:
        process = await asyncio.create_subprocess_exec(
            *GLOBAL, "events", "--stream", "--since", f"{since:.6f}", "--format", "json",
            "--filter", "event=died", "--filter", f"label={self.label}",
            stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdout is not None  # PIPE was asked for
            async for line in process.stdout:
                event = json.loads(line)
                # podman leaves an exit code of 0 out.
                yield Death(event["ID"], event.get("ContainerExitCode", 0), event["Time"])
        finally:
            await end(process)


async def end(process: Process) -> None:
    """Kill a child process and reap it."""
    if process.returncode is None:
        process.kill()
    await process.wait()
