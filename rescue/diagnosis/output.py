"""What the program said: the last lines of its output, and which files and errors they name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from rescue.diagnosis.evidence import CaseFiles
from rescue.model import Evidence

_TAIL_BYTES = 1 << 18
_TAIL_LINES = 40
_LAST_LINES = 6
_LINE_CHARS = 4000  # A longer line is data; some patterns need the square of its length.
_ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_HARMLESS = re.compile(
    r"\bwarn|(?:^\W*|\[|level\W{1,3}|\d[Z\])]*\s+)(?:notice|debug|trace)\b|using (?:the )?default|skipp(?:ed|ing)"
    r"|\bignor(?:ed|ing)|optional|fall(?:ing)? ?back",
    re.I,
)
_INFORMATION = re.compile(r"(?:^\W*|\[|level\W{1,3}|\d[Z\])]*\s+)(?:info|log)\b(?!.*\berror)", re.I)
_PATH = re.compile(r"(?<![\w.)/])(/(?!/)[^\s'\"`:;,()\[\]{}<>|=*?\u2018\u2019\u201c\u201d]+)")

_SPECIFIC = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|[\"'`][^\"'`]+[\"'`]|(?<![\w.])/\w+/\w")

ERRORS = {
    "ENOENT": r"no such file or directory|\bENOENT\b|FileNotFound|NoSuchFile|does ?n[o']t exist|cannot find the file",
    "EACCES": r"permission denied|\bEACCES\b|access denied|AccessDenied|Permission not granted",
    "EPERM": r"operation not permitted|\bEPERM\b",
    "EROFS": r"read-only file ?system|\bEROFS\b",
    "EISDIR": r"is a directory|\bEISDIR\b",
    "ENOTDIR": r"not a directory|\bENOTDIR\b",
    "ECONNREFUSED": r"connection refused|\bECONNREFUSED\b|actively refused|couldn't connect to server"
    r"|connection to \S+ refused|can't connect to [^()]*\(111\b",
    "ETIMEDOUT": r"connect\w* timed? ?out|\bETIMEDOUT\b|i/o timeout|timeout expired|timeout was reached"
    r"|timed out while connecting|ConnectTimeout|TimeoutError: timed out|urlopen error timed out"
    r"|context deadline exceeded",
    "EHOSTUNREACH": r"no route to host|\bEHOSTUNREACH\b|host is unreachable",
    "ENETUNREACH": r"network is unreachable|\bENETUNREACH\b",
    "EADDRNOTAVAIL": r"(?:cannot|can't) assign requested address|\bEADDRNOTAVAIL\b|address not available",
    "EADDRINUSE": r"address (?:already )?in use|\bEADDRINUSE\b|port is already allocated"
    r"|\bport \d+ (?:is |was )?(?:already )?in use",
    "ENOEXEC": r"exec format error|cannot execute binary file",
}
"""errno -> the ways in which programs spell it."""

UNRESOLVED = re.compile(
    r"name or service not known|temporary failure in name resolution|name does not resolve|nodename nor servname"
    r"|no address associated with hostname|getaddrinfo(?:\(\))?:? (?:\w+ ){0,3}(?:fail|error)|no such host"
    r"|UnknownHost|\bENOTFOUND\b|\bEAI_\w+",
    re.I,
)
"""A name that has no address, in the words of resolvers and runtimes."""

TLS_PLAIN = re.compile(
    r"wrong[ _]version[ _]number|(?:HTTPS?|SSL) request on a non-SSL|server gave HTTP response to HTTPS client"
    r"|first record does not look like a TLS handshake|packet[ _]length[ _]too[ _]long|unknown[ _]protocol\b"
    r"|Unsupported or unrecognized SSL message|SSL_ERROR_RX_RECORD_TOO_LONG|server does not support SSL",
    re.I,
)
"""A TLS handshake with a server that does not speak TLS, in the words of TLS libraries."""

TLS_TRUST = re.compile(
    r"certificate[ _]verify[ _]failed|unable to get (?:local )?issuer certificate|self[- ]signed certificate"
    r"|x509: certificate|PKIX path|certificate has expired|CERT_HAS_EXPIRED|SELF_SIGNED_CERT|tls: bad certificate"
    r"|unknown (?:certificate authority|ca)\b|UNABLE_TO_(?:VERIFY|GET)\w*|hostname mismatch|ERR_TLS_CERT_ALTNAME",
    re.I,
)
"""A certificate that is not accepted."""

_ERRORS = {name: re.compile(pattern, re.I) for name, pattern in ERRORS.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output and where it stands (``stderr:12``)."""

    source: str
    text: str

    def evidence(self) -> Evidence:
        """The line as proof."""
        return Evidence(self.source, self.text.strip()[:500])


@dataclass(frozen=True)
class Output:
    """All that is left of a program's output: each stream's last lines, oldest first."""

    streams: tuple[tuple[Line, ...], ...] = ()
    original: tuple[Line, ...] = field(default=())

    @property
    def tail(self) -> tuple[Line, ...]:
        """The last lines of every stream."""
        return tuple(line for stream in self.streams for line in stream[-_TAIL_LINES:])

    @property
    def last(self) -> tuple[Line, ...]:
        """The very last lines: those of the first stream that has any, which is stderr."""
        return next((stream[-_LAST_LINES:] for stream in self.streams if stream), ())

    @property
    def closing(self) -> tuple[Line, ...]:
        """The very last lines of every stream: those of stderr first, and the last of each first."""
        return tuple(line for stream in self.streams for line in stream[: -_LAST_LINES - 1 : -1])

    def saying(self, path: str, errno: str = "") -> Line | None:
        """The last line of the tail that names a path, and is not a mere warning."""
        return _saying(self.tail, path, errno)

    def original_says(self, path: str, errno: str = "") -> Line | None:
        """The same for the logs of the original container."""
        return _saying(self.original[-_TAIL_LINES:], path, errno)

    def excuses(self, path: str) -> bool:
        """True when the program itself says that it can do without this path."""
        return bool(path) and any(_HARMLESS.search(line.text) and _names(path, line.text) for line in self.tail)

    def is_specific(self) -> bool:
        """True when the very last line names a thing: a variable, a quoted word, a path."""
        return bool(self.last) and bool(_SPECIFIC.search(self.last[-1].text))

    def errors(self) -> list[tuple[str, Line]]:
        """Every line of the tail that spells an errno, with it; warnings are left out."""
        return [
            (errno, line)
            for line in self.tail
            if not _HARMLESS.search(line.text)
            for errno, pattern in _ERRORS.items()
            if pattern.search(line.text)
        ]


def read(inputs: CaseFiles) -> Output:
    """The replay's stderr and stdout; the original's log stands in where the replay said nothing."""
    original = lines("previous.log", inputs.previous_log) or lines("log", inputs.log)
    streams = tuple(s for s in (lines("stderr", inputs.stderr), lines("stdout", inputs.stdout)) if s)
    return Output(streams or ((original,) if original else ()), original)


def lines(source: str, raw: bytes) -> tuple[Line, ...]:
    """The non-empty lines in the last quarter of a megabyte, with their numbers in the whole; long ones shortened."""
    start = max(0, len(raw) - _TAIL_BYTES)
    number = raw.count(b"\n", 0, start)
    rows = _ANSI.sub(b"", raw[start:]).decode("utf-8", "replace").split("\n")
    return tuple(
        Line(f"{source}:{number + index}", _shortened(row.rstrip("\r")))
        for index, row in enumerate(rows, 1)
        if row.strip()
    )


def _shortened(text: str) -> str:
    half = _LINE_CHARS // 2
    return text if len(text) <= _LINE_CHARS else f"{text[:half]} … {text[-half:]}"


def spells(errno: str, text: str) -> bool:
    """True when a text says this error in words."""
    pattern = _ERRORS.get(errno)
    return bool(pattern and pattern.search(text))


def is_harmless(text: str) -> bool:
    """True for a warning, a notice, or words of something optional."""
    return bool(_HARMLESS.search(text))


def is_chatter(text: str) -> bool:
    """True for a harmless line, and for one that its own level calls information."""
    return is_harmless(text) or bool(_INFORMATION.search(text))


def starts_with_error(errno: str, text: str) -> bool:
    """True when a text begins with the words of this error."""
    return bool(_ERRORS[errno].match(text))


def is_system_error(text: str) -> bool:
    """True when a text tells of an error of the system: a file, a connection, a name."""
    return any(pattern.search(text) for pattern in (*_ERRORS.values(), UNRESOLVED, TLS_PLAIN, TLS_TRUST))


def paths(text: str) -> list[str]:
    """Absolute paths in a line, without the punctuation around them."""
    return [path.rstrip(".!…") for path in _PATH.findall(text) if len(path.rstrip(".!…/")) > 1]


def _saying(candidates: Iterable[Line], path: str, errno: str) -> Line | None:
    """A bare file name counts if it looks like one (``app.toml``), or beside the words of the error."""
    name = PurePosixPath(path).name
    found = [
        line
        for line in candidates
        if name in line.text  # The cheap question first: there may be thousands of failing calls.
        and (_names(path, line.text) or (_names(name, line.text) and ("." in name or spells(errno, line.text))))
        and not _HARMLESS.search(line.text)
        and not _tells_another(errno, line.text)
    ]
    spelled = [line for line in found if spells(errno, line.text)]
    return next(reversed(spelled or found), None)


def _tells_another(errno: str, text: str) -> bool:
    """The text spells an error of the system, and it is not this one."""
    told = [name for name, pattern in _ERRORS.items() if pattern.search(text)]
    return bool(errno and told) and errno not in told


def _names(word: str, text: str) -> bool:
    if len(word) < 3 or word not in text:
        return False
    return bool(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w|/\w)", text))
