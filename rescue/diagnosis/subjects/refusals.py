"""Facts about what the program itself refuses, and says so: a file's content or mode, a variable, an argument.

No system call fails then, so the last words decide; what they name is held against the trace (was the
file read?), the command line (is the argument there?) and the manifest (is the variable set?).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rescue.diagnosis import correlate, output, strace, variables
from rescue.diagnosis.exceptions import Report
from rescue.diagnosis.facts import Subject, prefixed
from rescue.diagnosis.output import Line
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.suspects import Suspect
from rescue.model import Evidence

_NOT_LIKED = re.compile(
    r"syntax|pars(?:e|er|ing)\b|unexpected|expect(?:ed|ing)|unknown|unrecogni[sz]ed|unsupported|invalid|illegal|malformed"
    r"|duplicate|not (?:a )?(?:valid|allowed|recogni[sz]ed|supported|defined|understood|terminated)|unterminated"
    r"|contains errors|\bbad\b|\bwrong\b|no such (?:option|command)|ambiguous|requires|corrupt|out of range"
    r"|(?:cannot|can't|could not|unable to|failed to) (?:load|parse|decode|read)|error (?:in|at|on) ",
    re.I,
)
_SETTINGS = re.compile(r"config|settings|\bconf\b|\.(?:conf|cfg|ini|ya?ml|toml|json|xml|properties)\b", re.I)
_LINE = re.compile(r"\bline:? \d+\b|/[^\s:'\"]+:\d+\b", re.I)
_LINE_OF_PATH = re.compile(r":\d+(?::\d+)?$")
_CODE = re.compile(r"\.(?:py|rb|php|pl|pm|[cm]?js|ts|java|go|rs|so[\d.]*)$")
_MODE = re.compile(
    r"(?:invalid|wrong|bad|incorrect|insecure|unsafe|unprotected|too (?:open|permissive|broad|wide))"
    r".{0,60}(?:permission|ownership|owner|\bmode\b)"
    r"|(?:permission|\bmode\b|owner).{0,80}(?:too (?:open|permissive|broad|wide)|should be|must be|are unsafe)"
    r"|(?:must|should) be (?:owned by|accessible (?:only )?by)|accessible by (?:the )?owner only"
    r"|(?:group|world)[- ](?:or[- ](?:group|world|other)s?[- ])?(?:readable|writable|writeable|accessible)",
    re.I,
)
_QUOTED = "[\"'`\u2018\u201c]{}[\"'`\u2019\u201d]"
_OPTION = r"(?:option|argument|flag|switch|parameter)s?:? [\"'`]?"
_USAGE = re.compile(r"^\s*usage(?: is)? ?:? ", re.I)
_USAGE_CODES = (1, 2, 64, 129)
_NEAR_END = 30
_EXCEPTION_LAST = 6
# An error of a parser of data.
_FORMAT = re.compile(
    r"\b(?:JSON|YAML|TOML|XML|CSV|INI)|in JSON at|(?:Parser|Scanner|Parse|Parsing)(?:Error|Exception)"
    r"|\bline \d+,? col(?:umn)? \d+"
)


@dataclass(frozen=True)
class _Opened:
    """A file that a process of the death chain opened for reading, and where in the trace."""

    path: str
    offset: int


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """At most one subject of each kind, from the last words of a program that failed."""
    if not recording.failed:
        return []
    builders = (_mode, _content, _variable, _argument)
    return [subject for build in builders for subject in list(build(recording))[:1]]


def _words(recording: Recording) -> list[Line]:
    """The very last lines, the last first, without mere warnings and errors of the system."""
    lines = [line for line in recording.output.closing if not output.is_harmless(line.text)]
    return [line for line in lines if not output.is_system_error(line.text)]


def _mode(recording: Recording) -> Iterator[Subject]:
    """``data directory "/x" has invalid permissions``: the program looked at owner and mode itself."""
    lines = _words(recording)
    for at, line in enumerate(lines):
        near = [line, *lines[max(at - 1, 0) : at], *lines[at + 1 : at + 2]]
        named = next(((path, other) for other in near for path in output.paths(other.text)), None)
        if named and _MODE.search(line.text):
            proof = tuple(dict.fromkeys((named[1].evidence(), line.evidence())))
            yield _of_file(recording, "mode", named[0], line, proof, True)


def _content(recording: Recording) -> Iterator[Subject]:
    """A file that was read, and that the last words name beside what is wrong with it."""
    lines = [line for line in _words(recording) if not _in_report(recording, line)]
    lines = [line for line in lines if _NOT_LIKED.search(line.text) or _LINE.search(line.text)]
    for line in sorted(lines, key=lambda line: not _LINE.search(line.text)):
        for path in _named_files(recording, line.text):
            if opened := _opened(recording, path):
                yield _of_file(recording, "content", path, line, _proof(recording, line, opened), True)
    yield from _last_settings(recording, lines)


def _last_settings(recording: Recording, lines: list[Line]) -> Iterator[Subject]:
    """The words tell of the configuration without its path: then it is the settings file read last."""
    telling = [line for line in _words(recording) if _SETTINGS.search(line.text) or _LINE.search(line.text)]
    formats = [
        r.error for r in recording.exceptions if r.lines_after < _EXCEPTION_LAST and _FORMAT.search(r.error.text)
    ]
    lines = formats or (lines if telling else [])
    if not lines or any(output.paths(line.text) for line in lines):
        return
    opened = _last_opened(recording)
    if opened:
        yield _of_file(recording, "content", opened.path, lines[0], _proof(recording, lines[0], opened), False)


def _named_files(recording: Recording, text: str) -> list[str]:
    own = {*recording.inputs.command[:1], *(d.process.program for d in recording.deaths)}
    speaks = [path for path in output.paths(text) if text.strip().startswith(path) and "syntax" not in text.lower()]
    names = [_LINE_OF_PATH.sub("", path).rstrip(":") for path in output.paths(text) if path not in speaks]
    return [path for path in names if path not in own and (not _CODE.search(path) or "syntax" in text.lower())]


def _in_report(recording: Recording, line: Line) -> bool:
    return any(line in report.lines for report in recording.exceptions)


def _opened(recording: Recording, path: str) -> _Opened | None:
    """The last time that a process of the death chain opened this path for reading."""
    found = [o for o in _reads(recording, f'"{path}"'.encode()) if o.path == path]
    return found[-1] if found else None


def _last_opened(recording: Recording) -> _Opened | None:
    """What was read last, if a ConfigMap or Secret holds it or the command line names it."""
    given = {word for death in recording.deaths for word in (*death.process.argv, *recording.inputs.command)}
    for opened in reversed(_reads(recording, b"O_RDONLY")[-_NEAR_END:]):
        place = correlate.place(opened.path, recording.container)
        if opened.path in given or (place.kind in ("ConfigMap", "Secret") and not opened.path.endswith("/token")):
            return opened
    return None


def _reads(recording: Recording, token: bytes) -> list[_Opened]:
    """Successful opens for reading, by a program of the death chain, whose line holds the token."""
    trace = recording.trace
    started = {death.process.pid: death.process.exec_offset for death in recording.deaths}
    return [
        _Opened(strace.path(call, trace.process(call.pid).directory), call.offset)
        for call in trace.calls(token, ("open", "openat", "openat2"))
        if not call.errno and "O_WRONLY" not in call.args and _since(started.get(trace.leader(call.pid)), call.offset)
    ]


def _since(start: int | None, offset: int) -> bool:
    """What was opened before an exec was opened by another program, such as a script that starts this one."""
    return start is not None and offset > start


def _proof(recording: Recording, line: Line, opened: _Opened) -> tuple[Evidence, ...]:
    trace = recording.trace
    call = Evidence(f"strace.log:{trace.line_number(opened.offset)}", trace.line(opened.offset)[:400])
    return (line.evidence(), call)


def _of_file(
    recording: Recording, kind: str, path: str, line: Line, proof: tuple[Evidence, ...], named: bool
) -> Subject:
    place = correlate.place(path, recording.container)
    key = correlate.key(place, recording.inputs.objects)
    values = prefixed(
        "refusal",
        kind=kind,
        name=path,
        text=line.text.strip()[:300],
        named=named,
        volume=place.kind,
        volume_name=place.volume,
        object=key.object if key else "",
        object_kind=key.kind if key else place.kind,
        key=key.name if key else "",
        fs_group=recording.container.fs_group,
    )
    return Subject("refusal", values, proof)


def _variable(recording: Recording) -> Iterator[Subject]:
    """``DB_USER must be set``, with what the manifest has for it."""
    spec, objects = recording.container.spec, recording.inputs.objects
    final = [report for report in recording.exceptions if report.lines_after < _EXCEPTION_LAST]
    lines = [*_words(recording), *(report.error for report in final)]
    for name, line, said in variables.missing(lines, recording.exceptions):
        words = _weighed(recording, name, line, said, final)
        state = variables.state(name, spec, objects)
        if state.state == "set":
            continue
        values = prefixed(
            "refusal", kind="variable", name=name, text=line.text.strip()[:300], words=words,
            state=state.state, object=state.object, object_kind=state.kind, key=state.key, nearest=state.nearest,
        )  # fmt: skip
        yield Subject("refusal", values, (line.evidence(),))
    yield from _value(recording)


def _weighed(recording: Recording, name: str, line: Line, words: str, final: list[Report]) -> str:
    """Words beside an exception about something else count little; so do words on stdout beside some on stderr."""
    if final and not any(name in report.text() for report in final):
        return "loose"
    beside = line not in recording.output.last and not _in_report(recording, line)
    return "usual" if beside and words == "exact" else words


def _value(recording: Recording) -> Iterator[Subject]:
    """A variable that the manifest does set, named beside what is wrong."""
    names = [str(entry.get("name")) for entry in recording.container.spec.get("env") or []]
    for line in _words(recording):
        named = [name for name in names if len(name) > 3 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line.text)]
        if named and (_NOT_LIKED.search(line.text) or re.search(r"\bmust\b|\bneeds? to\b", line.text)):
            values = prefixed("refusal", kind="value", name=named[0], text=line.text.strip()[:300])
            yield Subject("refusal", values, (line.evidence(),))


def _argument(recording: Recording) -> Iterator[Subject]:
    """An argument of the process that died, named beside what is wrong with it; else its usage text."""
    lines = _words(recording)
    for death in reversed(recording.deaths):
        for line in (line for line in lines if _NOT_LIKED.search(line.text)):
            if name := _argument_in(line.text, death.process.argv[1:]):
                yield _of_argument("argument", name, line, death.process.argv)
    usage = [line for line in recording.output.tail if _USAGE.search(line.text)]
    if usage and recording.replay.exit_code in _USAGE_CODES and recording.deaths:
        words = [line for line in lines if line not in usage and not _in_report(recording, line)]
        argv = recording.deaths[-1].process.argv
        why = next((line for line in words if _NOT_LIKED.search(line.text)), usage[-1])
        yield _of_argument("usage", "", why, argv, usage[-1])


def _of_argument(kind: str, name: str, line: Line, argv: tuple[str, ...], usage: Line | None = None) -> Subject:
    values = prefixed(
        "refusal", kind=kind, name=name, text=line.text.strip()[:300], named=True, command=" ".join(argv)[:200]
    )
    return Subject("refusal", values, tuple(dict.fromkeys(one.evidence() for one in (usage, line) if one)))


def _argument_in(text: str, argv: tuple[str, ...]) -> str:
    """An option as it stands in the line, or another word of the command line in quotes there."""
    for word in argv:
        option = word.partition("=")[0]
        if option.startswith("-") and len(option) > 2:
            bare = re.escape(option.lstrip("-"))
            if re.search(rf"(?<![\w-])(?:-{{1,2}}|{_OPTION}){bare}(?![\w-])", text):
                return word
        elif re.fullmatch(r"[\w.:=-]{2,60}", word) and re.search(_QUOTED.format(re.escape(word)), text):
            return word
    return ""
