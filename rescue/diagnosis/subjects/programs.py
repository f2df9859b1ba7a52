"""Facts about programs and shared libraries that could not be started or loaded."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from rescue.diagnosis import correlate, strace
from rescue.diagnosis.facts import Subject, Value, prefixed
from rescue.diagnosis.output import Line, lines
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.suspects import Suspect, evidence
from rescue.model import Evidence

_NAME = r"['\"‘`]?(?P<name>[^\s'\"’`:]+?)(?P<cr>\\r|\r|\^M|\?)?['\"’`]?"  # noqa: RUF001 (what env prints)

# What the launcher, the kubelet and shells print; the first that fits a line wins.
_PHRASES = tuple(
    (errno, exists, re.compile(pattern, re.I))
    for errno, exists, pattern in (
        ("ENOENT", None, rf"exec: {_NAME}: executable file not found"),
        ("ENOENT", False, rf"exec: {_NAME}: stat \S+ no such file"),
        ("EACCES", True, rf"exec: {_NAME}: permission denied"),
        ("ENOEXEC", True, rf"(?:exec:? )?{_NAME}: "
            r"(?:cannot execute binary file(?:: exec format error)?|exec format error)"),
        ("ENOEXEC", True, r"exec format error"),
        ("ENOENT", True, rf"exec {_NAME}: no such file or directory"),
        ("ENOENT", True, r"^(?:[^:]+: )?(?:line \d+: )?(?P<name>/[^\s:]+): "
            r"(?P<interpreter>[^\s:]+?)(?P<cr>\^M|\r)?: bad interpreter"),
        ("ENOENT", True, rf"{_NAME}: cannot execute: required file not found"),
        ("ENOENT", False, rf"env: (?:can't execute )?{_NAME}: No such file or directory"),
        ("EACCES", True, rf"env: (?:can't execute )?{_NAME}: Permission denied"),
        ("ENOENT", None, r"(?:^|: )(?:line )?(?:\d+: )?(?:exec: )?(?P<name>[\w./+-]+): (?:command )?not found$"),
        ("EACCES", True, r"^(?:\S*sh|\S+\.sh): (?:line )?(?:\d+: )?(?:exec: )?(?P<name>[\w./+-]+): Permission denied$"),
        ("ENOENT", None, r"^\S*sh: (?:line )?\d+: (?P<name>/?[\w.-]+(?:/[\w.+-]+)+): No such file or directory$"),
    )
)  # fmt: skip
_LIBRARY = tuple(
    (problem, re.compile(pattern))
    for problem, pattern in (
        ("missing", r"(?:(?P<by>\S+): )?error while loading shared libraries: (?P<name>\S+): cannot open shared"),
        ("missing", r"Error loading shared library (?P<name>\S+): .*?(?:needed by (?P<by>[^)]+))?\)?$"),
        ("missing", r"(?P<name>[\w+.-]+\.so[\d.]*): cannot open shared object file"),
        ("version", r"(?:(?P<by>\S+): )?\S+: version [`'](?P<name>[^'`]+)' not found"),
        ("symbol", r"Error relocating (?P<by>\S+): (?P<name>\S+): symbol not found"),
        ("symbol", r"(?:(?P<by>\S+): )?symbol lookup error: .*undefined symbol: (?P<name>\S+)"),
        ("missing", r"java\.lang\.UnsatisfiedLinkError: (?:no )?(?P<name>[^\s:]+)"),
    )
)  # fmt: skip
# strace looks a command up (stat) before it starts it (exec), so the latter is of a file that exists.
_LAUNCH = re.compile(
    r"(?P<how>Can't stat|can't execute|exec):? (?:'(?P<name>[^']+)': )?"
    r"(?P<why>No such file or directory|Not a directory|Permission denied|Exec format error)"
)
_LAUNCH_EXISTS = {"Can't stat": False, "can't execute": None, "exec": True}
_LAUNCH_ERRORS = {"No such file or directory": "ENOENT", "Not a directory": "ENOTDIR", "Permission denied": "EACCES"}
_STARTS = ("StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError")


def subjects(recording: Recording, suspects: list[Suspect]) -> list[Subject]:
    """Failing starts from the tracer, the trace, the kubelet and the program's words, then libraries."""
    return [*_calls(recording, suspects), *_launch(recording), *_told(recording, suspects), *_libraries(recording)]


def _launch(recording: Recording) -> Iterator[Subject]:
    """The hunter or strace could not start the command at all."""
    if not recording.failed:
        return
    notes = [Line("end", note) for note in recording.record.notes if recording.replay.ended == "failed"]
    for line in (*lines("strace.err", recording.inputs.strace_err), *notes):
        if found := _LAUNCH.search(line.text):
            errno = _LAUNCH_ERRORS.get(found["why"], "ENOEXEC")
            exists = _LAUNCH_EXISTS[found["how"]]
            yield _subject(recording, found["name"] or "", errno, exists, "named", (line.evidence(),), main=True)


def _calls(recording: Recording, suspects: list[Suspect]) -> Iterator[Subject]:
    merged: dict[str, Suspect] = {}
    for suspect in suspects:
        if suspect.kind == "program":
            merged.setdefault(_called(suspect), suspect)
    for name, suspect in merged.items():
        main = suspect.pid == recording.trace.first_pid and recording.trace.process(suspect.pid).exec_offset < 0
        # strace looks the command up before it starts it: a first exec that fails is of a file that exists.
        exists = True if main or suspect.call.errno != "ENOENT" else _known(recording, suspect)
        proof = evidence(recording.trace, suspect)
        yield _subject(
            recording,
            name,
            suspect.call.errno,
            exists,
            "named" if main else suspect.support,
            proof,
            main=main,
            path=suspect.path,
        )


def _called(suspect: Suspect) -> str:
    """``foo`` when a search through PATH failed, else the path."""
    first = strace.strings(suspect.call.args)[1:2]
    search = bool(first) and "/" not in first[0] and suspect.path.endswith("/" + first[0])
    return first[0] if search else suspect.path


def _known(recording: Recording, suspect: Suspect) -> bool | None:
    """True when the volume has the file, False when a whole search failed, else not known."""
    key = correlate.key(correlate.place(suspect.path, recording.container), recording.inputs.objects)
    if key is not None and key.state in ("present", "absent"):
        return key.state == "present"
    return False if "/" not in _called(suspect) else None


def _told(recording: Recording, suspects: list[Suspect]) -> Iterator[Subject]:
    """The kubelet's start error and the shell's words."""
    container = recording.container
    for state in (container.last_end, container.waiting):
        phrase = _phrase(str(state.get("message", "")))
        if phrase and state.get("reason") in _STARTS:
            proof = (Evidence("pod.json", f"{state['reason']}: {state['message']}"[:600]),)
            yield _subject(recording, *phrase[:3], _started(recording), proof, main=True, cr=phrase[3])
    files = {s.path for s in suspects if s.kind == "file" and s.dying}
    for line in reversed(recording.output.last):
        if (phrase := _phrase(line.text)) and phrase[0] not in files:
            support = "mentioned" if recording.failed else "none"
            if recording.failed and recording.replay.exit_code in (126, 127):
                support = "named"
            yield _subject(recording, *phrase[:3], support, (line.evidence(),), cr=phrase[3], interpreter=phrase[4])
            return


def _started(recording: Recording) -> str:
    """A start error of the original counts unless the replay got further."""
    return "named" if recording.replay.ended in ("", "failed", "lost") or recording.failed else "none"


def _phrase(text: str) -> tuple[str, str, bool | None, bool, str] | None:
    """Program, errno, whether the file exists, carriage return seen, interpreter."""
    for errno, exists, pattern in _PHRASES:
        if found := pattern.search(text):
            part = found.groupdict("")
            return part.get("name", ""), errno, exists, bool(part.get("cr")), part.get("interpreter", "")
    return None


def _subject(
    recording: Recording,
    name: str,
    errno: str,
    exists: bool | None,
    support: str,
    proof: tuple[Evidence, ...],
    *,
    main: bool = False,
    cr: bool = False,
    interpreter: str = "",
    path: str = "",
) -> Subject:
    place = correlate.place(path or name, recording.container)
    source = place.sources[0] if place.sources else None
    argv = recording.inputs.command[:1]
    values: dict[str, Value] = prefixed(
        "program",
        name=name or (argv[0] if argv else ""),
        errno=errno,
        main=main or name in argv,
        exists=False if exists is None and name and "/" not in name else exists,
        interpreter=interpreter,
        carriage_return=cr,
        support=support,
        volume=place.kind,
        volume_name=place.volume,
        object=source.name if source else "",
        mode=f"{source.mode:04o}" if source and source.mode is not None else None,
    )
    return Subject("program", values, proof)


def _libraries(recording: Recording) -> Iterator[Subject]:
    for line in reversed(recording.output.tail):
        for problem, pattern in _LIBRARY:
            found = pattern.search(line.text)
            if found is None:
                continue
            part = found.groupdict("")
            support = "named" if recording.failed and _is_last(recording, line) else "none"
            values = prefixed(
                "library", name=part["name"], problem=problem, needed_by=part.get("by", ""), support=support
            )
            yield Subject("library", values, (line.evidence(), *_searched(recording, part["name"])))
            return


def _is_last(recording: Recording, line: Line) -> bool:
    return line in recording.output.last or any(line in r.lines and r.lines_after < 6 for r in recording.exceptions)


def _searched(recording: Recording, library: str) -> list[Evidence]:
    name = PurePosixPath(library).name
    failed = [f.call for f in recording.trace.failures.values() if f'/{name}"' in f.call.args]
    trace = recording.trace
    return [Evidence(f"strace.log:{trace.line_number(c.offset)}", trace.line(c.offset)[:300]) for c in failed[-3:]]
