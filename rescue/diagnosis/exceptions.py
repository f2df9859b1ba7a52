"""Unhandled exceptions in a program's output, as each runtime prints them.

Each language is a row of a table: how a report starts, which lines belong to it, and which line
names the error.  The forms are those that the runtimes print by themselves.
"""

import re
from dataclasses import dataclass

from rescue.diagnosis.output import Line, Output

_MOST_LINES = 60


@dataclass(frozen=True)
class Language:
    """How a runtime prints an exception that nobody caught.

    ``start`` opens a report; ``body`` are its further lines; ``error`` finds ``type`` and
    ``message``, in the last line of the report for which it does, or in the first if ``first``;
    lines up to the last that has ``after`` do not count.  With ``hanging`` a line belongs to the
    report too if an indented one follows it, as in a message of several lines.
    Where ``stack`` is given, a report without such a line or ``sure`` is none.
    ``sure`` is found in what only the runtime prints: then the exception was really unhandled.
    """

    name: str
    start: re.Pattern[str]
    body: re.Pattern[str]
    error: re.Pattern[str]
    first: bool = False
    sure: re.Pattern[str] | None = None
    after: re.Pattern[str] | None = None
    hanging: bool = False
    stack: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Report:
    """One exception with all its lines; ``lines_after`` follow it in its stream."""

    language: str
    type: str
    message: str
    lines: tuple[Line, ...]
    lines_after: int
    sure: bool
    error: Line

    def text(self) -> str:
        """The whole report."""
        return "\n".join(line.text for line in self.lines)


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


LANGUAGES = (
    Language(
        "Python",
        start=_re(r"Traceback \(most recent call last\):|^  File \"[^\"]+\", line \d+$"),
        body=_re(r"^\s+\S|^\s*$|^Traceback|^(?:\w+\.)*(?:[A-Z]\w*|(?<=\.)\w+)(?::|$)"
                 r"|^During handling|^The above exception|^  [+|] "),
        error=_re(r"^(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$"),
        first=True,
        after=_re(r"^\s*File \""),
        hanging=True,
    ),
    Language(
        "Java",
        start=_re(r"Exception in thread \"|^(?:Caused by: )?(?:[a-z_]\w*\.)+[A-Z]\w*(?:Exception|Error)\b"
            r"|^Error: (?:Unable to access jarfile|Could not find or load main class|Invalid or corrupt jarfile)"),
        body=_re(r"^\s+at |^\s*\.\.\. \d+ (?:more|common frames)|^Caused by: |^\s+Suppressed: |^\t"),
        error=_re(r"(?:Exception in thread \"[^\"]*\" |Caused by: |^)"
            r"(?P<type>(?:[\w$]+\.)+[\w$]*(?:Exception|Error)\w*|Error(?=: ))(?:: (?P<message>.*))?"),
        sure=_re(r"Exception in thread \"|^Error: (?:Unable|Could not find|Invalid)"),
        stack=_re(r"^\s+at |^\s*\.\.\. \d+ |^Caused by: "),
    ),
    Language(
        "Go",
        start=_re(r"^(?:panic|fatal error): "),
        body=_re(r"^goroutine \d+|^\t|^\[signal |^[\w./*()\[\]{}·~-]+\(.*\)|^created by |^runtime\.|^\s*$"
            r"|^main\.|^exit status|^panic: "),
        error=_re(r"^(?P<type>panic|fatal error): (?P<message>.*)"),
        first=True,
    ),
    Language(
        "Node.js",
        start=_re(r"^(?:Uncaught )?(?:\w+ \[\w+\]|[A-Z]\w*Error|Error)(?: \[\w+\])?: |^(?:node:)?internal/"
            r"|^node:|^\S+\.[cm]?[jt]s:\d+$|^\[UnhandledPromiseRejection|^FATAL ERROR: "
            r"|triggerUncaughtException"),
        body=_re(r"^\s+|^Node\.js v|^\s*$|^[}\]]|^(?:\w+ \[\w+\]|[A-Z]\w*Error|Error)(?: \[\w+\])?: "
            r"|^Require stack|^- /|^Emitted |^FATAL ERROR|^-+ |^<-+ |^ *\d+: 0x"),
        error=_re(r"^(?:Uncaught )?"
            r"(?P<type>[A-Z]\w*(?:Error|Rejection|Exception)(?: \[\w+\])?|Error(?: \[\w+\])?|FATAL ERROR)"
            r": (?P<message>.*)"),
        first=True,
        sure=_re(r"^Node\.js v\d|^    at .*node:internal|triggerUncaughtException|^FATAL ERROR: "),
        stack=_re(r"^\s+at "),
    ),
    Language(
        "Ruby",
        start=_re(r"^\S+:\d+:in [`'].*': .*\([A-Z][\w:]*\)$"),
        body=_re(r"^\s+from |^\t"),
        error=_re(r"': (?P<message>.*) \((?P<type>[A-Z][\w:]*)\)$"),
        first=True,
    ),
    Language(
        "PHP",
        start=_re(r"^(?:PHP )?(?:Fatal|Parse) error: "),
        body=_re(r"^Stack trace:|^#\d+ |^  thrown in |^\s*$"),
        error=_re(r"^(?:PHP )?(?P<type>Fatal error|Parse error): +(?:Uncaught )?(?P<message>.*)"),
        first=True,
    ),
    Language(
        "Perl",
        start=_re(r"^.+ at \S+ line \d+(?:, <\w*> (?:line|chunk) \d+)?\.?$"),
        body=_re(r"^\t|^BEGIN failed--|^Compilation failed in require"),
        error=_re(r"^(?P<message>.+ at \S+ line \d+)(?P<type>(?:, <\w*> (?:line|chunk) \d+)?)\.?$"),
        first=True,
        sure=_re(r"^BEGIN failed--|^Compilation failed in require"),
    ),
    Language(
        ".NET",
        start=_re(r"^Unhandled exception[.:] "),
        body=_re(r"^\s+at |^ ---> |^File name: |^\s+--- End|^\s*$"),
        error=_re(r"(?:^Unhandled exception[.:] | ---> )(?P<type>[\w.]+): (?P<message>.*)"),
    ),
    Language(
        "Rust",
        start=_re(r"^thread '[^']*' (?:\(\d+\) )?panicked at "),
        body=_re(r"^note: |^stack backtrace:|^\s|^called `|^assertion|^explicit panic|^index out|^attempt to"),
        error=_re(r"^thread '[^']*' (?:\(\d+\) )?(?P<type>panicked) at (?P<message>.*)"),
        first=True,
    ),
)  # fmt: skip


def find(output: Output) -> list[Report]:
    """The last report of each language in each stream, in the order of the streams."""
    return [
        report for stream in output.streams for language in LANGUAGES if (report := _last(language, stream)) is not None
    ]


def _last(language: Language, stream: tuple[Line, ...]) -> Report | None:
    found = None
    at = 0
    while at < len(stream):
        if not language.start.search(stream[at].text):
            at += 1
            continue
        end = _end(language, stream, at)
        found = _report(language, stream[at:end], len(stream) - end) or found
        at = end
    return found


def _end(language: Language, stream: tuple[Line, ...], start: int) -> int:
    end = start + 1
    while end < len(stream) and _belongs(language, stream, end):
        end += 1
    return end


def _belongs(language: Language, stream: tuple[Line, ...], at: int) -> bool:
    text = stream[at].text
    if language.body.search(text) or language.start.search(text):
        return True
    return language.hanging and stream[at + 1 : at + 2] != () and stream[at + 1].text.startswith("  ")


def _report(language: Language, block: tuple[Line, ...], after: int) -> Report | None:
    """The report in a block of lines, if it names an error and has a stack or says so by itself."""
    marks = [i for i, line in enumerate(block) if language.after and language.after.search(line.text)]
    named = [(m, line) for line in block[max(marks, default=0) :] if (m := language.error.search(line.text))]
    sure = language.sure is None or any(language.sure.search(line.text) for line in block)
    stack = any(language.stack.search(line.text) for line in block) if language.stack else len(block) > 1
    if not named or not (stack or language.sure is None or sure):
        return None
    error, line = named[0] if language.first else named[-1]
    message = (error["message"] or "").strip()
    return Report(language.name, error["type"], message, _shortened(block), after, sure, line)


def _shortened(block: tuple[Line, ...]) -> tuple[Line, ...]:
    half = _MOST_LINES // 2
    return block if len(block) <= _MOST_LINES else block[:half] + block[-half:]
