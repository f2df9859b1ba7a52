"""How a replay ended: the end record, the trace and the clone's status made one."""

from dataclasses import dataclass, field, replace

from rescue.diagnosis import memory
from rescue.diagnosis.container import SIGNALS, Container, status_of, terminated
from rescue.diagnosis.evidence import CaseFiles
from rescue.diagnosis.strace import Exit
from rescue.diagnosis.trace import Trace
from rescue.model import JsonObject, Replay

_SIGNAL_CODES = {128 + number: name for number, name in SIGNALS.items()}
# As PID 1 (pid_namespaces(7)) abort() gives 139, as a child 134; a TERM or KILL to oneself is ignored there.
_SAME_AS_PID_1 = {(139, 134), (0, 143), (0, 137)}


@dataclass(frozen=True)
class EndRecord:
    """The file ``end``: ``key=value`` lines, ``note`` may repeat."""

    values: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def number(self, key: str) -> int | None:
        """An integer field, or None."""
        value = self.values.get(key, "")
        return int(value) if value.lstrip("-").isdecimal() and len(value) < 20 else None

    def seconds(self) -> float | None:
        """From start to finish, if both were written."""
        try:
            return round(float(self.values["finished"]) - float(self.values["started"]), 3)
        except (KeyError, ValueError):
            return None


def read(raw: bytes) -> EndRecord:
    """Bytes of the end record; unknown lines are kept out, nothing raises."""
    pairs = [line.partition("=")[::2] for line in raw.decode("utf-8", "replace").splitlines() if "=" in line]
    return EndRecord(
        {key: value for key, value in pairs if key != "note"},
        tuple(value for key, value in pairs if key == "note"),
    )


def summarise(inputs: CaseFiles, trace: Trace) -> Replay:
    """The replay as the report shows it.

    Without an end record, or with ``lost``, the container died together with the hunter: then the
    clone's status says how.
    """
    record = read(inputs.end)
    died = terminated(status_of(inputs.clone_status, inputs.container))
    ended = record.values.get("ended") or ("lost" if _was_started(inputs, died) else "")
    last = trace.exits.get(record.number("main_pid") or trace.first_pid)
    code, signal = _exit(record, last, died if ended == "lost" else {})
    replay = Replay(
        command=inputs.command,
        ended=ended,
        exit_code=code,
        signal=signal or None,
        seconds=record.seconds(),
        traced=bool(inputs.strace) and record.values.get("traced") != "no",
        memory=memory.read(inputs.memory),
        notes=record.notes,
    )
    return _with_notes(replay, inputs, trace)


def _was_started(inputs: CaseFiles, died: JsonObject) -> bool:
    return bool(inputs.strace or inputs.stderr or inputs.stdout or died)


def _exit(record: EndRecord, last: Exit | None, died: JsonObject) -> tuple[int | None, str]:
    if record.values.get("signal") or record.number("exit_code") is not None:
        return record.number("exit_code"), record.values.get("signal", "")
    if last is not None:
        return (_code_of(last.signal), last.signal) if last.signal else (last.code, "")
    code = died.get("exitCode")
    return (code, _SIGNAL_CODES.get(code, "")) if isinstance(code, int) else (None, "")


def _code_of(signal: str) -> int | None:
    return next((code for code, name in _SIGNAL_CODES.items() if name == signal), None)


def _with_notes(replay: Replay, inputs: CaseFiles, trace: Trace) -> Replay:
    notes = [*replay.notes, *_strace_notes(inputs, replay), *_difference(replay, inputs)]
    if trace.unreadable:
        notes.append(
            f"strace could not read the memory of a process after it changed its user ({trace.unreadable} exec): "
            "paths of that process may be missing from the trace"
        )
    return replace(replay, notes=tuple(notes))


def _strace_notes(inputs: CaseFiles, replay: Replay) -> list[str]:
    if replay.traced or not replay.ended or replay.notes:
        return []
    first = inputs.strace_err.decode("utf-8", "replace").strip().partition("\n")[0]
    return [f"the replay was not traced{': ' + first if first else ''}"]


def _difference(replay: Replay, inputs: CaseFiles) -> list[str]:
    """A note when the replay did not end as the pod's own container did."""
    before = Container(inputs.container, inputs.pod).last_end
    was = before.get("exitCode")
    if not isinstance(was, int) or not replay.ended:
        return []
    if not replay.crashed:
        return [f"the original ended with exit code {was}; the replay did not end by itself"]
    now = replay.exit_code
    if now is None or was == now or (was, now) in _SAME_AS_PID_1:
        return []
    reason = f" ({before['reason']})" if before.get("reason") not in (None, "Error", "Completed") else ""
    return [f"the original ended with exit code {was}{reason}, the replay with {now}"]
