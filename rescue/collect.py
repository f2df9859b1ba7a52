"""From the spool in the clone to the local case, byte for byte, while the replay runs."""

import time
from collections.abc import Callable
from pathlib import Path

from rescue.case import write_error
from rescue.clone import Clone
from rescue.errors import ExitCode, RescueError
from rescue.frames import Data, End, FrameError, FrameReader
from rescue.kube import exec as kexec
from rescue.kube.client import Cluster
from rescue.kube.errors import ClusterError
from rescue.replay import SHELL_KEEPER
from rescue.waiting import KEEPER

RECONNECT_SECONDS = 60.0  # How long a broken stream is taken up again before we give up.
FILES = ("hunter.log", "stdout", "stderr", "strace.log", "strace.err", "memory.tsv", "end")


class Sink:
    """The local copy of the spool: appends at the local size and nowhere else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def offsets(self) -> list[str]:
        """``name=size`` of every file, from where the keeper goes on."""
        return [f"{name}={self._size(name)}" for name in FILES]

    def _size(self, name: str) -> int:
        path = self._folder / name
        return path.stat().st_size if path.exists() else 0

    def write(self, data: Data) -> None:
        """Append a piece; raises RescueError for an unknown file, a gap, or a disk that cannot take it."""
        if data.name not in FILES or data.offset != self._size(data.name):
            raise RescueError(
                f"the spool sent {data.name!r} at {data.offset}, which does not follow what we have",
                "run it again; with --keep the clone can be looked at",
            )
        path = self._folder / data.name
        try:
            with path.open("ab") as file:
                file.write(data.payload)
        except OSError as error:
            raise write_error(path, error) from error


def _stream(cluster: Cluster, clone: Clone, run: str, sink: Sink, tick: Callable[[], None]) -> bool:
    """One connection: True when the keeper said that everything was sent."""
    reader = FrameReader()
    complaint = b""
    command = [*SHELL_KEEPER, "stream", run, *sink.offsets()]
    with kexec.open_session(cluster, clone.namespace, clone.name, KEEPER, command) as session:
        for channel, payload in session.frames():
            if channel == kexec.STDERR:
                complaint += payload
            elif channel == kexec.STDOUT:
                for frame in reader.feed(payload):
                    if isinstance(frame, End):
                        return True
                    if isinstance(frame, Data):
                        sink.write(frame)
            tick()
    raise kexec.Dropped(f"the keeper ended with {session.exit_code}: {complaint.decode('utf-8', 'replace')}")


def collect(cluster: Cluster, clone: Clone, run: str, folder: Path, tick: Callable[[], None]) -> None:
    """Stream the run's files into ``folder`` until the keeper says it is complete.

    ``tick`` is called often, at least once a second; what it raises ends the collection. A dropped stream is taken up
    again at the local size, and is never taken for an end. Raises RescueError when it stays broken.
    """
    sink = Sink(folder)
    broken_since: float | None = None
    while True:
        before = sink.offsets()
        try:
            if _stream(cluster, clone, run, sink, tick):
                return
        except (ClusterError, FrameError) as error:
            if isinstance(error, ClusterError) and error.status in (403, 404):
                raise _lost(clone, error) from error
            now = time.monotonic()
            if broken_since is None or sink.offsets() != before:
                broken_since = now
            if now - broken_since > RECONNECT_SECONDS:
                raise _lost(clone, error) from error
            tick()
            time.sleep(1)


def _lost(clone: Clone, error: Exception) -> RescueError:
    gone = isinstance(error, ClusterError) and error.status == 404
    known = f"kubectl get pod {clone.name} -n {clone.namespace}"
    return RescueError(
        f"the stream from clone {clone.name} is lost: {error}",
        "somebody deleted the clone; run it again" if gone else f"is the cluster reachable? see: {known}",
        ExitCode.CLUSTER,
    )
