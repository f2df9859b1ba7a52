"""One line of ``strace -f -ttt -yy``: its syntax, and nothing about what it means.

The forms are those of strace(1).  A line that has none of them gives None: traces are cut,
interleaved and written by programs that print what they like.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_HEAD = rb"(?:\[pid +)?(?P<pid>\d{1,10})?\]? *(?:(?P<time>\d+\.\d+) )?"
_RESULT = rb"\) *= (?P<result>-?\w+)(?P<fd><[^\n]*>)?(?: (?P<errno>E[A-Z0-9]+) \([^\n]*\))?(?: \([^\n]*\))?$"
_CALL = re.compile(_HEAD + rb"(?P<name>\w+)\((?P<args>[^\n]*)" + _RESULT)
_GONE = re.compile(_HEAD + rb"(?P<name>\w+)\((?P<args>[^\n]*)\) *= \?")
_UNFINISHED = re.compile(_HEAD + rb"(?P<name>\w+)\((?P<args>[^\n]*) <unfinished \.\.\.>$")
_RESUMED = re.compile(_HEAD + rb"<\.\.\. (?P<name>\w+) resumed>(?P<args>[^\n]*)" + _RESULT)
_EXIT = re.compile(_HEAD + rb"\+\+\+ (?:exited with (?P<code>\d{1,10})|killed by (?P<signal>SIG\w+))")
_SIGNAL = re.compile(_HEAD + rb"--- (?P<signal>SIG\w+) \{(?P<detail>[^\n]*)\} ---")

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROL = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f", b"a": b"\a", b"b": b"\b"}
_DIRECTORY = re.compile(r"(?:AT_FDCWD|\d+)(?:<((?:[^<>\\]|\\.)*)>)?")
_AT_CALLS = ("openat", "openat2", "faccessat", "faccessat2", "mkdirat", "unlinkat", "renameat", "renameat2",
             "fchmodat", "fchownat", "execveat")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One finished system call; ``offset`` is where its line (the last one) starts in the trace.

    ``args`` and ``result`` are as strace wrote them; ``errno`` is empty for a success.
    """

    pid: int
    time: float
    name: str
    args: str
    result: str
    errno: str
    offset: int


@dataclass(frozen=True, slots=True)
class Exit:
    """``+++ exited with 3 +++`` or ``+++ killed by SIGSEGV +++``: the end of one thread."""

    pid: int
    time: float
    code: int | None
    signal: str
    offset: int


@dataclass(frozen=True, slots=True)
class Signal:
    """``--- SIGSEGV {si_signo=SIGSEGV, …} ---``: a signal that was delivered."""

    pid: int
    name: str
    detail: str
    offset: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where a socket was bound or connected to; a UNIX socket has a ``path`` and no port."""

    host: str
    port: int
    path: str


def text(raw: bytes) -> str:
    """Bytes of a trace or a log as text, whatever they are."""
    return raw.decode("utf-8", "replace")


def parse(line: bytes, offset: int, started: bytes = b"") -> Call | Exit | Signal | None:
    """The line at ``offset``, without its newline; ``started`` is the unfinished line it resumes."""
    for mark, pattern, build in _FORMS:
        if mark in line and (found := pattern.match(line)):
            return build(found, offset, started)
    return None


def _call(found: re.Match[bytes], offset: int, _started: bytes) -> Call:
    part = found.groupdict(b"")
    return Call(
        *_when(found),
        text(part["name"]),
        text(part["args"]),
        _result(part),
        text(part.get("errno", b"")),
        offset,
    )


def _resumed(found: re.Match[bytes], offset: int, started: bytes) -> Call:
    call = _call(found, offset, started)
    head = _UNFINISHED.match(started)
    if head is None or text(head["name"]) != call.name:
        return call
    return Call(*_when(head), call.name, text(head["args"]) + call.args, call.result, call.errno, offset)


def _exit(found: re.Match[bytes], offset: int, _started: bytes) -> Exit:
    code = found["code"]
    return Exit(*_when(found), None if code is None else int(code), text(found["signal"] or b""), offset)


def _signal(found: re.Match[bytes], offset: int, _started: bytes) -> Signal:
    return Signal(_when(found)[0], text(found["signal"]), text(found["detail"]), offset)


def _when(found: re.Match[bytes]) -> tuple[int, float]:
    return int(found["pid"] or 0), float(found["time"] or 0)


def _result(part: dict[str, bytes]) -> str:
    return text(part.get("result", b"?") + part.get("fd", b""))


_FORMS = (
    (b" resumed>", _RESUMED, _resumed),
    (b" +++", _EXIT, _exit),
    (b" --- SIG", _SIGNAL, _signal),
    (b") ", _CALL, _call),
    (b") ", _GONE, _call),
)


def unescape(quoted: str) -> str:
    """The inside of a quoted string of strace: C escapes, octal and ``\\x`` bytes, as UTF-8."""

    def byte(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[:1] == b"x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        if code.isdigit():
            return bytes([int(code, 8) & 0xFF]) if code.strip(b"89") == code else code
        return _CONTROL.get(code, code)

    return text(_ESCAPE.sub(byte, quoted.encode("utf-8", "replace")))


def strings(args: str) -> list[str]:
    """All quoted strings of the arguments, decoded; a truncated one ends with ``…``."""
    return [unescape(body) + ("…" if cut else "") for body, cut in _STRING.findall(args)]


def path(call: Call, directory: str = "") -> str:
    """The (first) path of a file call, made absolute where the trace or ``directory`` allows it.

    Empty when strace could not read it, as after a program dropped its uid.
    """
    head = _DIRECTORY.match(call.args) if call.name in _AT_CALLS else None
    found = _STRING.search(call.args)
    if found is None or (head is None and not call.args.startswith('"')):
        return ""
    base = unescape(head[1]) if head and head[1] else directory
    return str(PurePosixPath(base, unescape(found[1]))) if found[1] else ""


def raw_path(call: Call) -> bytes:
    """The path as the trace spells it, with its quotes, to search for other uses of it."""
    found = _STRING.search(call.args)
    return f'"{found[1]}"'.encode("utf-8", "replace") if found else b""


_FAMILY = re.compile(
    r"AF_INET, sin_port=htons\((?P<port4>\d{1,9})\), sin_addr=inet_addr\(\"(?P<host4>[^\"]+)\"\)"
    r"|AF_INET6, sin6_port=htons\((?P<port6>\d{1,9})\).*?inet_pton\(AF_INET6, \"(?P<host6>[^\"]+)\""
    r"|AF_UNIX, sun_path=@?\"(?P<path>(?:[^\"\\]|\\.)*)\""
)


def address(call: Call) -> Address | None:
    """The socket address of a connect or bind, if it is an internet or UNIX one."""
    found = _FAMILY.search(call.args)
    if found is None:
        return None
    part = found.groupdict("")
    host = (part["host4"] or part["host6"]).removeprefix("::ffff:")
    return Address(host, int(part["port4"] or part["port6"] or 0), unescape(part["path"]))
