"""Which failing calls may have killed the program: one candidate out of many.

A call is a suspect if healthy programs do not make it (``rescue.noise``) and nothing later made up
for it: the same path, or the same file name elsewhere, opened.  It is tied to the death by

1. the process: the main one, or the last failing child of it (``rescue.deaths``),
2. the words: the last lines of output name the path, the file or the address,
3. the place: it is the last failing call of these processes, a few calls before the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from rescue.diagnosis import output, strace
from rescue.diagnosis.deaths import Death
from rescue.diagnosis.noise import is_noise
from rescue.diagnosis.output import Line
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.strace import Address, Call
from rescue.diagnosis.trace import Failure, Trace
from rescue.model import Evidence

_CALLS_LEFT = 30
_MANY = 1000
_WINDOW = 1 << 17
_MOST = 60
_SEARCHES = 50

FILE_ERRORS = frozenset({"ENOENT", "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ENOSPC", "EDQUOT"})
NET_ERRORS = frozenset({"ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOENT", "EACCES"})
BIND_ERRORS = frozenset({"EADDRINUSE", "EACCES", "EPERM", "EADDRNOTAVAIL"})
IDENTITY_CALLS = frozenset(
    {"setuid", "setgid", "setgroups", "setresuid", "setresgid", "setreuid", "setregid", "capset", "chroot", "mount",
     "unshare", "setns", "pivot_root", "bpf", "setrlimit"}
)  # fmt: skip
FILE_CALLS = frozenset(
    {"open", "openat", "openat2", "creat", "access", "faccessat", "faccessat2", "chdir", "mkdir", "mkdirat", "unlink",
     "unlinkat", "rename", "renameat", "renameat2", "chmod", "fchmodat", "chown", "fchownat"}
)  # fmt: skip
KINDS = (
    ("file", FILE_CALLS, FILE_ERRORS),
    (
        "program",
        frozenset({"execve", "execveat"}),
        frozenset({"ENOENT", "EACCES", "EPERM", "ENOEXEC", "ENOTDIR", "ELIBBAD"}),
    ),
    ("connection", frozenset({"connect"}), NET_ERRORS),
    ("bind", frozenset({"bind", "listen"}), BIND_ERRORS | {"ENOENT", "EROFS"}),
    ("identity", IDENTITY_CALLS, frozenset({"EPERM"})),
)


@dataclass(frozen=True)
class Suspect:
    """A failing call with what ties it to the death; ``path`` or ``address`` says what it was about."""

    kind: str
    call: Call
    count: int
    path: str
    address: Address | None
    pid: int
    said: Line | None
    said_last: bool
    dying: bool
    last: bool = False
    calls_left: int = _MANY

    @property
    def support(self) -> str:
        """One word for it, as ``rescue.facts`` explains."""
        if not self.dying:
            return "none"
        if self.said_last:
            return "named"
        return "last" if self.last else "present"


def find(recording: Recording) -> list[Suspect]:
    """Suspects, the strongest first."""
    calls = [s for f in recording.trace.failures.values() if (s := _suspect(recording, f)) is not None]
    calls.sort(key=_strength, reverse=True)
    likely = [s for s in calls[:_MOST] if s.said_last or not _made_up_for(recording.trace, s)]
    return sorted(_mark_last(recording, likely), key=_strength, reverse=True)


def evidence(trace: Trace, suspect: Suspect) -> tuple[Evidence, ...]:
    """The call's own line of the trace, and the words that name it."""
    times = f"  (failed {suspect.count} times)" if suspect.count > 1 else ""
    number = trace.line_number(suspect.call.offset)
    call = Evidence(f"strace.log:{number}", shown(trace, suspect.call)[:600] + times)
    return (call, suspect.said.evidence()) if suspect.said else (call,)


def shown(trace: Trace, call: Call) -> str:
    """The call's line; a resumed one is put together again, as its own line lacks the arguments."""
    line = trace.line(call.offset)
    if " resumed>" not in line:
        return line
    return f"{call.pid} {call.time:.6f} {call.name}({call.args}) = {call.result} {call.errno}".rstrip()


def _strength(suspect: Suspect) -> tuple[bool, bool, bool, bool, int]:
    said = suspect.said is not None
    return suspect.last, suspect.dying and suspect.said_last, suspect.dying, said, suspect.call.offset


def _suspect(recording: Recording, failure: Failure) -> Suspect | None:
    call = failure.call
    kind = next((k for k, names, errors in KINDS if call.name in names and call.errno in errors), "")
    if not kind:
        return None
    process = recording.trace.process(call.pid)
    directory = process.directory or recording.container.working_directory
    address = strace.address(call) if kind in ("connection", "bind") else None
    if kind == "bind" and address is not None and address.path and call.errno != "EADDRINUSE":
        kind = "file"
    path = (address.path if address else "") or (strace.path(call, directory) if kind in ("file", "program") else "")
    if kind in ("file", "program") and not path:
        return None
    said = _words(recording, call, path, address)
    quiet = said is None or path not in said.text
    if (
        quiet
        and call.name != "bind"
        and kind in ("file", "connection")
        and path
        and is_noise(call.name, call.errno, path)
    ):
        return None
    last = said in recording.output.last or any(said in r.lines and r.lines_after < 6 for r in recording.exceptions)
    dying = recording.failed and process.leader in {d.process.pid for d in recording.deaths}
    return Suspect(
        kind, call, failure.count, path, address, process.leader, said, said is not None and last, dying, False
    )


def _words(recording: Recording, call: Call, path: str, address: Address | None) -> Line | None:
    """The last line of output that speaks of this call."""
    if path or not (address or call.name in IDENTITY_CALLS):
        return recording.output.saying(path, call.errno) if path else None
    lines = [line for errno, line in recording.output.errors() if errno == call.errno]
    exact = [line for line in lines if address and str(address.port) in line.text]
    return next(reversed(exact or lines), None)


def _mark_last(recording: Recording, suspects: list[Suspect]) -> Iterable[Suspect]:
    """Mark the last failing call of the processes that died, if their words blame nothing else."""
    dying = [s for s in suspects if s.dying]
    final = max(dying, key=lambda s: s.call.offset, default=None)
    deaths = {d.process.pid: d for d in recording.deaths}
    for suspect in suspects:
        left = _calls_left(recording.trace, suspect, deaths[suspect.pid]) if suspect is final else _MANY
        last = left <= _CALLS_LEFT and not _blames_other(recording, suspect)
        yield replace(suspect, last=last, calls_left=left)


def _calls_left(trace: Trace, suspect: Suspect, death: Death) -> int:
    """How many traced calls the process made from this one, itself included, to its end."""
    start = suspect.call.offset
    if death.offset - start > _WINDOW:
        return _MANY
    lines = trace.buffer[start : death.offset].split(b"\n")
    pids = [line.split(b" ", 1)[0] for line in lines]
    return sum(pid.isdigit() and len(pid) < 20 and trace.leader(int(pid)) == suspect.pid for pid in pids)


def _blames_other(recording: Recording, suspect: Suspect) -> bool:
    """True when an exception or an error message of the last lines is about something else."""
    final = [report.text() for report in recording.exceptions if report.lines_after < 6]
    if final:
        return not any(output.spells(suspect.call.errno, text) for text in final)
    if suspect.said is None and (recording.output.excuses(suspect.path) or recording.output.is_specific()):
        return True
    last = [(errno, line) for errno, line in recording.output.errors() if line in recording.output.last]
    if suspect.path and any(output.paths(line.text) for _, line in last) and suspect.said is None:
        return True
    return bool(last) and all(errno != suspect.call.errno for errno, _ in last)


def _made_up_for(trace: Trace, suspect: Suspect) -> bool:
    """The same path, or the same file name in another folder, worked later."""
    call = suspect.call
    if suspect.kind == "connection":
        return suspect.address is not None and any(
            strace.address(c) == suspect.address and not c.errno and c.offset > call.offset for c in trace.connects
        )
    if suspect.kind == "program":
        return _exec_worked(trace, suspect)
    name = PurePosixPath(suspect.path).name.encode()
    tokens = [strace.raw_path(call), b"/" + name + b'"'] if call.errno == "ENOENT" else [strace.raw_path(call)]
    return any(_worked_later(trace, token, call) for token in tokens if len(token) > 3)


def _exec_worked(trace: Trace, suspect: Suspect) -> bool:
    process = trace.process(suspect.call.pid)
    names = strace.strings(suspect.call.args)[1:2]
    return process.exec_offset > suspect.call.offset and list(process.argv[:1]) == names


def _worked_later(trace: Trace, token: bytes, call: Call) -> bool:
    at = call.offset
    for _ in range(_SEARCHES):
        at = trace.buffer.find(token, at + 1)
        if at < 0:
            return False
        start = trace.buffer.rfind(b"\n", 0, at) + 1
        line = trace.line(start)
        if start > call.offset and f" {call.name}(" in line and " = -1 " not in line and "unfinished" not in line:
            return True
    return False
