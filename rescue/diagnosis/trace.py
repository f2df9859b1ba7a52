"""A whole trace: what failed, who started whom, and how each process ended.

Only lines with one of a few literals are parsed.  Searching these in the buffer and widening
each hit to its line is two to three times as fast as reading line by line.
"""

import re
from dataclasses import dataclass, field

from rescue.diagnosis import strace
from rescue.diagnosis.evidence import Buffer
from rescue.diagnosis.strace import Call, Exit, Signal

_INTERESTING = re.compile(
    rb" = -1 E(?!CHILD|AGAIN|INTR)| \+\+\+ | --- SIG(?!CHLD)| execve| connect\(| clone| v?fork[( ]"
    rb"| set(?:res|re)?uid(?:\(| resumed)| chdir(?:\(| resumed)| connect resumed"
)
_IGNORED = frozenset({"ECHILD", "EAGAIN", "EINTR", "EINVAL", "ENOTTY", "ENOSYS", "ESRCH", "ENOPROTOOPT"})
_INODE = re.compile(r"<(?:TCP|UDP|UNIX|socket|NETLINK)[^>]*>|^\d+")
_STARTERS = ("clone", "clone3", "fork", "vfork")
_CHUNK = 1 << 22
_UNFINISHED = b"<unfinished ...>"
# Different failing calls that are kept, the latest ones.
_MOST_FAILURES = 5_000


@dataclass(slots=True)
class Failure:
    """One failing call and its repetitions: a retry loop counts once."""

    call: Call
    count: int = 1


@dataclass(slots=True)
class Process:
    """One traced thread or process, and the thread group it belongs to."""

    pid: int
    parent: int = 0
    leader: int = 0
    program: str = ""
    argv: tuple[str, ...] = ()
    uid: str = ""
    directory: str = ""
    exec_offset: int = -1


@dataclass(slots=True)
class Trace:
    """What was found; offsets are positions in ``buffer``, lines are counted when asked for."""

    buffer: Buffer
    failures: dict[tuple[str, str, str], Failure] = field(default_factory=dict)
    connects: list[Call] = field(default_factory=list)
    exits: dict[int, Exit] = field(default_factory=dict)
    signals: dict[int, Signal] = field(default_factory=dict)
    processes: dict[int, Process] = field(default_factory=dict)
    first_pid: int = 0
    unreadable: int = 0
    newlines: list[int] = field(default_factory=lambda: [0])

    def process(self, pid: int) -> Process:
        """The process of this id, known or new."""
        return self.processes.setdefault(pid, Process(pid, leader=pid))

    def leader(self, pid: int) -> int:
        """The process that a thread belongs to."""
        return self.process(pid).leader

    def line_number(self, offset: int) -> int:
        """1 for the first line of the trace."""
        whole = offset // _CHUNK
        while len(self.newlines) <= whole:
            at = (len(self.newlines) - 1) * _CHUNK
            self.newlines.append(self.newlines[-1] + self.buffer[at : at + _CHUNK].count(b"\n"))
        return 1 + self.newlines[whole] + self.buffer[whole * _CHUNK : offset].count(b"\n")

    def calls(self, token: bytes, names: tuple[str, ...], most: int = 200) -> list[Call]:
        """The last calls of these names whose line holds ``token``, oldest first."""
        found: list[Call] = []
        at = len(self.buffer)
        while len(found) < most and (at := self.buffer.rfind(token, 0, at)) >= 0:
            start = self.buffer.rfind(b"\n", 0, at) + 1
            line = self.buffer[start : _line_end(self.buffer, at)]
            call = _whole(self.buffer, line, start)
            if call is not None and call.name in names:
                found.append(call)
            at = start
        return found[::-1]

    def line(self, offset: int) -> str:
        """The line that starts at ``offset``, as text."""
        return strace.text(self.buffer[offset : _line_end(self.buffer, offset)])


def read(buffer: Buffer) -> Trace:
    """Parse a trace; never fails, whatever the bytes are."""
    trace = Trace(buffer)
    failing: dict[bytes, tuple[int, int]] = {}
    done = 0
    for hit in _INTERESTING.finditer(buffer):
        if hit.start() < done:
            continue
        start = buffer.rfind(b"\n", done, hit.start()) + 1 or done
        done = _line_end(buffer, hit.end())
        line = buffer[start:done]
        if b" = -1 E" in line and b" resumed>" not in line:
            _count(failing, line, start)
        else:
            _add(trace, line, start)
    for offset, count in sorted(failing.values()):
        _add(trace, buffer[offset : _line_end(buffer, offset)], offset, count)
    trace.failures = dict(sorted(trace.failures.items(), key=lambda item: item[1].call.offset))
    return trace


def _count(failing: dict[bytes, tuple[int, int]], line: bytes, start: int) -> None:
    """Keep where the call, whatever its process and time, failed last and how often."""
    key = line.split(b" ", 2)[-1]
    failing[key] = (start, failing.pop(key, (0, 0))[1] + 1)
    if len(failing) > 2 * _MOST_FAILURES:
        for old in list(failing)[:_MOST_FAILURES]:
            del failing[old]


def _whole(buffer: Buffer, line: bytes, start: int) -> Call | None:
    """The call in a line; one that was interrupted is put together with the line that resumes it."""
    if not line.endswith(_UNFINISHED):
        event = strace.parse(line, start, _started(buffer, line, start) if b" resumed>" in line else b"")
        return event if isinstance(event, Call) else None
    at = buffer.find(b"\n" + line[: line.find(b" ") + 1], start)
    resumed = buffer[at + 1 : _line_end(buffer, at + 1)] if at >= 0 else b""
    event = strace.parse(resumed, start, line) if b" resumed>" in resumed else None
    return event if isinstance(event, Call) else None


def _line_end(buffer: Buffer, offset: int) -> int:
    end = buffer.find(b"\n", offset)
    return len(buffer) if end < 0 else end


def _add(trace: Trace, line: bytes, start: int, count: int = 1) -> None:
    started = _started(trace.buffer, line, start) if b" resumed>" in line else b""
    event = None if line.endswith(_UNFINISHED) else strace.parse(line, start, started)
    if event is None:
        return
    trace.first_pid = trace.first_pid or event.pid
    match event:
        case Exit():
            trace.exits[event.pid] = event
        case Signal() if event.name != "SIGCHLD":
            trace.signals[event.pid] = event
        case Call():
            _add_call(trace, event, count)


def _started(buffer: Buffer, line: bytes, start: int) -> bytes:
    """The unfinished line of the same thread: the last line it wrote."""
    mark = b"\n" + line[: line.find(b" ") + 1]
    at = buffer.rfind(mark, 0, start)
    return buffer[at + 1 : _line_end(buffer, at + 1)] if at >= 0 else _first_line(buffer, mark)


def _first_line(buffer: Buffer, mark: bytes) -> bytes:
    line = buffer[: _line_end(buffer, 0)]
    return line if line.startswith(mark[1:]) else b""


def _add_call(trace: Trace, call: Call, count: int) -> None:
    if call.errno and call.errno not in _IGNORED:
        _add_failure(trace, call, count)
    if call.name == "connect" and call.errno in ("", "EINPROGRESS"):
        trace.connects.append(call)
        del trace.connects[:-200]
    if not call.errno and call.result[:1].isdigit():
        _follow(trace, call)


def _add_failure(trace: Trace, call: Call, count: int) -> None:
    key = (call.name, _INODE.sub("", call.args), call.errno)
    known = trace.failures.pop(key, None)
    trace.failures[key] = Failure(call, count + (known.count if known else 0))


def _program(names: list[str]) -> str:
    """The path of an execve; busybox starts its applets as /proc/self/exe, then argv[0] says more."""
    return names[1] if names[:1] == ["/proc/self/exe"] and len(names) > 1 else "".join(names[:1])


def _follow(trace: Trace, call: Call) -> None:
    """Who is whose child, runs which program, as which user, in which directory."""
    process = trace.process(call.pid)
    if call.name in _STARTERS and (child := int(re.match(r"\d{1,10}", call.result)[0])):  # type: ignore[index]
        thread = "CLONE_THREAD" in call.args
        leader = process.leader if thread else child
        known = trace.processes.get(child)
        if known and not known.parent:  # Its own calls came first: a vfork returns after the child's exec.
            known.parent, known.leader = process.leader, leader
            known.uid, known.directory = known.uid or process.uid, known.directory or process.directory
            return
        trace.processes[child] = Process(
            child, process.leader, leader, process.program, process.argv, process.uid, process.directory
        )
    elif call.name in ("execve", "execveat"):
        names = strace.strings(call.args)
        process.program, process.argv = _program(names), tuple(names[1:])
        process.exec_offset = call.offset
        trace.unreadable += not names
    elif call.name in ("setuid", "setreuid", "setresuid"):
        process.uid = call.args.split(",")[0].strip()
    elif call.name == "chdir":
        process.directory = strace.path(call, process.directory)
