"""Facts about how it ended: deadly signals, exceptions, and what the kubelet did to the pod."""

import re
from collections.abc import Iterator

from rescue.diagnosis import correlate
from rescue.diagnosis.container import SIGNALS
from rescue.diagnosis.deaths import Death
from rescue.diagnosis.exceptions import Report
from rescue.diagnosis.facts import Subject, prefixed
from rescue.diagnosis.output import is_system_error, paths
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.strace import Signal
from rescue.diagnosis.subjects import whole
from rescue.diagnosis.suspects import Suspect
from rescue.model import Evidence, JsonObject

_NEAR_END = 6
_WINDOW = 1 << 17
_NUMBERS = {name: number for number, name in SIGNALS.items()}
_FAULT = re.compile(r"si_code=(\w+)(?:.*?si_addr=(\w+))?")
_STACK = re.compile(r"0x7ff[c-f][0-9a-f]{8}$|0xffff[c-f][0-9a-f]{7}$")  # x86-64, arm64
_SENDER = re.compile(r"si_code=SI_(?:USER|TKILL|QUEUE), si_pid=(\d+)")
_OUT_OF_MEMORY = re.compile(
    r"OutOfMemory|MemoryError|heap out of memory|allowed memory size|bad_alloc|runtime: out of memory", re.I
)
# Reason of the event, what must stand in its message, the kind.
_PROBES = (
    ("Unhealthy", "Liveness probe failed", "liveness"),
    ("Unhealthy", "Startup probe failed", "startup"),
    ("Killing", "failed liveness probe", "liveness"),
    ("Killing", "failed startup probe", "startup"),
    ("FailedPostStartHook", "", "postStart"),
)


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """Deaths by signal, innermost first; exceptions; probes and hooks."""
    return [*_deaths(recording), *(_exception(recording, r) for r in recording.exceptions), *_probes(recording)]


def _deaths(recording: Recording) -> list[Subject]:
    if recording.replay.ended in ("stopped", "timeout"):
        return []  # The hunter itself ended the program.
    found = [
        _death(recording, d) for d in (*reversed(recording.deaths), *_killed(recording)) if d.exit and d.exit.signal
    ]
    if not any(s.values["death.decides"] for s in found) and (signal := _ended_by(recording)):
        found.append(_untraced(recording, signal))
    return found


def _killed(recording: Recording) -> list[Death]:
    """The last process that was killed outside the chain: an out-of-memory kill may hit any."""
    known = {d.process.pid for d in recording.deaths}
    ends = [e for e in recording.trace.exits.values() if e.signal == "SIGKILL"]
    others = [e for e in ends if recording.trace.leader(e.pid) not in known]
    return [Death(recording.trace.process(e.pid), e, e.offset) for e in others[-1:]]


def _death(recording: Recording, death: Death) -> Subject:
    signal = death.exit.signal if death.exit else ""
    main = death.process.pid == recording.deaths[0].process.pid
    delivered = _delivered(recording, death)
    values = prefixed(
        "death",
        signal=signal,
        program=death.process.program,
        in_child=not main,
        decides=recording.failed and (main or recording.replay.exit_code == 128 + _NUMBERS.get(signal, 0)),
        fault=_fault(delivered, signal),
        sender=_sender(recording, delivered, signal, death),
    )
    offsets = [death.offset] if delivered is None or delivered.name != signal else [delivered.offset, death.offset]
    trace = recording.trace
    proof = tuple(Evidence(f"strace.log:{trace.line_number(o)}", trace.line(o)[:400]) for o in offsets)
    return Subject("death", values, (*proof, *whole.memory_evidence(recording), *_words(recording)))


def _delivered(recording: Recording, death: Death) -> Signal | None:
    """The last signal before the end that any thread of the process got."""
    trace = recording.trace
    mine = [s for pid, s in trace.signals.items() if trace.leader(pid) == death.process.pid]
    return max((s for s in mine if s.offset <= death.offset), key=lambda s: s.offset, default=None)


def _ended_by(recording: Recording) -> str:
    """The signal that the end record, the clone's status or the exit code tells."""
    replay = recording.replay
    if replay.signal or not recording.failed:
        return replay.signal or ""
    return SIGNALS.get((replay.exit_code or 0) - 128, "") if (replay.exit_code or 0) > 128 else ""


def _untraced(recording: Recording, signal: str) -> Subject:
    replay = recording.replay
    told = f"ended={replay.ended} signal={replay.signal or '-'} exit_code={replay.exit_code}"
    values = prefixed(
        "death",
        signal=signal,
        program=replay.command[0] if replay.command else "",
        in_child=not replay.signal,
        decides=recording.failed,
        fault="",
        sender="",
    )
    return Subject("death", values, (Evidence("end", told), *whole.memory_evidence(recording), *_words(recording)))


def _fault(signal: Signal | None, name: str) -> str:
    found = _FAULT.search(signal.detail) if signal and signal.name == name else None
    if found is None or found[1].startswith("SI_"):
        return ""
    near = " (in the region of the stack, as endless recursion gives)" if _STACK.match(found[2] or "") else ""
    return f"{found[1]} at address {found[2]}{near}" if found[2] else found[1]


def _killer(recording: Recording, name: str, death: Death) -> str:
    """SIGKILL is never reported as delivered, but the call that sent it may be in the trace."""
    buffer = recording.trace.buffer[max(0, death.offset - _WINDOW) : death.offset]
    pattern = rb"^(\d+) .*\bkill\(-?%d, %s\)" % (death.process.pid, name.encode())
    found = re.findall(pattern, buffer, re.MULTILINE)
    if not found:
        return ""
    return "self" if int(found[-1]) == death.process.pid else "another process"


def _sender(recording: Recording, signal: Signal | None, name: str, death: Death) -> str:
    if signal is None or signal.name != name:
        return _killer(recording, name, death)
    found = _SENDER.search(signal.detail)
    if found is None:
        return "kernel"
    return "self" if int(found[1]) == death.process.pid else "another process"


def _words(recording: Recording) -> tuple[Evidence, ...]:
    return tuple(line.evidence() for line in recording.output.last[-3:])


def _exception(recording: Recording, report: Report) -> Subject:
    values = prefixed(
        "exception",
        language=report.language,
        type=report.type,
        text=report.message[:400] or "(no message)",
        last=report.lines_after < _NEAR_END,
        sure=report.sure,
        clone_only=_of_claim(recording, report.message),
        system=is_system_error(report.text()),
        out_of_memory=bool(_OUT_OF_MEMORY.search(f"{report.type}: {report.message}")),
    )
    return Subject("exception", values, (Evidence(report.lines[0].source, report.text()),))


def _of_claim(recording: Recording, message: str) -> bool:
    claims = [
        path for path in paths(message) if correlate.place(path, recording.container).kind == "PersistentVolumeClaim"
    ]
    return bool(claims) and not any(recording.output.original_says(path) for path in claims)


def _probes(recording: Recording) -> Iterator[Subject]:
    name = recording.container.name
    events = [e for e in recording.inputs.events if _concerns(e, name)]
    for kind in ("liveness", "startup", "postStart"):
        mine = [e for e in events if _kind(e) == kind]
        if not mine:
            continue
        failed = [e for e in mine if e.get("reason") != "Killing"] or mine
        killed = kind == "postStart" or any(e.get("reason") == "Killing" for e in mine)
        values = prefixed(
            "probe",
            kind=kind,
            text=str(failed[-1].get("message", ""))[:400],
            killed=killed,
            count=sum(int(e.get("count") or 1) for e in failed),
        )
        yield Subject("probe", values, tuple(_event(e) for e in mine))


def _concerns(event: JsonObject, container: str) -> bool:
    """The event is about this container; one without a field path is about the whole pod."""
    path = str((event.get("involvedObject") or event.get("regarding") or {}).get("fieldPath") or "")
    return not path or path.endswith("{" + container + "}")


def _kind(event: JsonObject) -> str:
    message = str(event.get("message") or event.get("note") or "")
    return next((k for reason, words, k in _PROBES if event.get("reason") == reason and words in message), "")


def _event(event: JsonObject) -> Evidence:
    count = f" (x{event['count']})" if (event.get("count") or 1) > 1 else ""
    return Evidence("events.json", f"{event.get('reason')}: {event.get('message') or event.get('note')}{count}"[:600])
