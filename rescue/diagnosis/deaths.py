"""Which process died, and which child took it along: the chain that a cause must lie on."""

from collections.abc import Iterator
from dataclasses import dataclass

from rescue.diagnosis.strace import Exit
from rescue.diagnosis.trace import Process, Trace

_ASKED_TO_STOP = frozenset({"SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE", "SIGQUIT"})
_DEEPEST = 8


@dataclass(frozen=True)
class Death:
    """The end of one process; ``offset`` is where in the trace, its end when nothing was written."""

    process: Process
    exit: Exit | None
    offset: int


def chain(trace: Trace, main_pid: int) -> tuple[Death, ...]:
    """The main process, its last failing child, that one's last failing child, and so on.

    A child counts if it ended with an error after its parent's last exec and before its parent's
    end, and nobody had merely asked it to stop.
    """
    if not main_pid:
        return ()
    deaths = [_death(trace, main_pid)]
    while len(deaths) < _DEEPEST and (child := _last_failing_child(trace, deaths[-1])):
        deaths.append(_death(trace, child.pid))
    return tuple(deaths)


def _death(trace: Trace, pid: int) -> Death:
    end = trace.exits.get(pid)
    return Death(trace.process(pid), end, end.offset if end else len(trace.buffer))


def _last_failing_child(trace: Trace, parent: Death) -> Exit | None:
    found = [end for end in _child_ends(trace, parent) if end.code or end.signal]
    return max(found, key=lambda end: end.offset, default=None)


def _child_ends(trace: Trace, parent: Death) -> Iterator[Exit]:
    for process in trace.processes.values():
        end = trace.exits.get(process.pid)
        if process.parent != parent.process.pid or process.leader != process.pid or end is None:
            continue
        if parent.process.exec_offset <= end.offset <= parent.offset and end.signal not in _ASKED_TO_STOP:
            yield end
