"""Facts about what the program could not get through: a failing command, a TLS handshake, a limit of the kernel."""

import re
import shlex
from collections.abc import Iterator

from rescue.diagnosis import addresses, output, strace
from rescue.diagnosis.deaths import Death
from rescue.diagnosis.facts import Subject, prefixed
from rescue.diagnosis.output import Line
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.strace import Call
from rescue.diagnosis.subjects.network import address_text
from rescue.diagnosis.suspects import Suspect
from rescue.model import Evidence

_NEAR_END = 6
_DNS = 53
# What runtimes and TLS libraries say; the first that fits a line wins.
_TLS = (
    ("plain", output.TLS_PLAIN),
    ("trust", output.TLS_TRUST),
)
_EXHAUSTED = {
    "EMFILE": re.compile(r"too many open files|(?-i:\bEMFILE\b)", re.I),
    "ENFILE": re.compile(r"too many open files in system|(?-i:\bENFILE\b)", re.I),
    "EAGAIN": re.compile(
        r"(?:fork|thread|clone|process).{0,80}(?:resource temporarily unavailable|\bEAGAIN\b)"
        r"|(?:cannot|can't|unable to|failed to) (?:fork|create (?:a )?(?:new |native )?(?:thread|process))",
        re.I,
    ),
    "ENOMEM": re.compile(r"cannot allocate memory|(?-i:\bENOMEM\b)", re.I),
}  # fmt: skip


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """The failing command, the failing handshake and the exhausted limit, where there is one."""
    if not recording.failed:
        return []
    return [*_command(recording), *list(_handshake(recording))[:1], *list(_exhausted(recording))[:1]]


def _command(recording: Recording) -> Iterator[Subject]:
    """The last child that failed, if it ran a program of its own and was not killed."""
    for parent, child in zip(recording.deaths, recording.deaths[1:], strict=False):
        if not _is_command(parent, child):
            continue
        code = child.exit.code if child.exit else None
        last = child.offset == max(e.offset for e in _ends_of_children(recording, parent))
        decides = last and code == recording.replay.exit_code
        values = prefixed(
            "step",
            command=shlex.join(child.process.argv)[:300],
            exit_code=code,
            decides=decides,
            silent=not recording.output.streams,
        )
        yield Subject("step", values, _proof(recording, child))
        return


def _is_command(parent: Death, child: Death) -> bool:
    own = child.process.exec_offset > parent.process.exec_offset and child.process.argv != parent.process.argv
    argv = child.process.argv
    wrapped = bool(argv) and parent.process.argv[-len(argv) :] == argv  # As tini does, or "$@" in a script.
    return bool(own and argv and not wrapped and child.exit and not child.exit.signal)


def _ends_of_children(recording: Recording, parent: Death) -> list[strace.Exit]:
    trace = recording.trace
    children = {p.pid for p in trace.processes.values() if p.parent == parent.process.pid and p.leader == p.pid}
    return [end for pid, end in trace.exits.items() if pid in children and end.offset <= parent.offset]


def _proof(recording: Recording, child: Death) -> tuple[Evidence, ...]:
    trace = recording.trace
    offsets = (child.process.exec_offset, child.offset)
    lines = tuple(Evidence(f"strace.log:{trace.line_number(o)}", trace.line(o)[:400]) for o in offsets)
    return (*lines, *(line.evidence() for line in recording.output.last[-3:]))


def _handshake(recording: Recording) -> Iterator[Subject]:
    reports = [line for r in recording.exceptions if r.lines_after < _NEAR_END for line in r.lines]
    for line in (*reversed(reports), *recording.output.closing):
        if problem := next((name for name, pattern in _TLS if pattern.search(line.text)), ""):
            yield _of_handshake(recording, problem, line)


def _of_handshake(recording: Recording, problem: str, line: Line) -> Subject:
    call = _last_connect(recording)
    address = strace.address(call) if call else None
    inputs = recording.inputs
    peer = addresses.peer(address.host, address.port, inputs.objects, inputs.pod) if address else addresses.Peer()
    values = prefixed(
        "tls",
        problem=problem,
        text=line.text.strip()[:300],
        peer=address_text(address) if address else "",
        target=peer.description,
        support="named",
    )
    return Subject("tls", values, (line.evidence(), *([_line(recording, call)] if call else [])))


def _last_connect(recording: Recording) -> Call | None:
    """The last connection of a process that died, names not counted."""
    dying = {death.process.pid for death in recording.deaths}
    calls = [c for c in recording.trace.connects if recording.trace.leader(c.pid) in dying]
    return next((c for c in reversed(calls) if (a := strace.address(c)) and a.port not in (0, _DNS)), None)


def _exhausted(recording: Recording) -> Iterator[Subject]:
    """A limit that a call met, named by the last words, or met right before the end."""
    for line in recording.output.closing:
        errno = next((e for e, pattern in _EXHAUSTED.items() if pattern.search(line.text)), "")
        if errno and not output.is_harmless(line.text):
            call = _failing(recording, errno)
            support = "named" if call else "mentioned"
            proof = (line.evidence(), *([_line(recording, call)] if call else []))
            values = prefixed(
                "exhausted", errno=errno, call=call.name if call else "", text=line.text.strip()[:300], support=support
            )
            yield Subject("exhausted", values, proof)


def _failing(recording: Recording, errno: str) -> Call | None:
    dying = {death.process.pid for death in recording.deaths}
    calls = [f.call for f in recording.trace.failures.values() if f.call.errno == errno]
    return next((call for call in reversed(calls) if recording.trace.leader(call.pid) in dying), None)


def _line(recording: Recording, call: Call) -> Evidence:
    trace = recording.trace
    return Evidence(f"strace.log:{trace.line_number(call.offset)}", trace.line(call.offset)[:400])
