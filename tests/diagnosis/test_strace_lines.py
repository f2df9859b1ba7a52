"""The syntax of one line of strace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescue.diagnosis import strace
from rescue.diagnosis.strace import Address, Call, Exit, Signal


def call(line: str, started: str = "") -> Call:
    parsed = strace.parse(line.encode(), 0, started.encode())
    assert isinstance(parsed, Call)
    return parsed


def test_failing_call() -> None:
    parsed = call('12 1.5 openat(AT_FDCWD</app>, "c.toml", O_RDONLY) = -1 ENOENT (No such file or directory)')
    assert (parsed.pid, parsed.time, parsed.name, parsed.result, parsed.errno) == (12, 1.5, "openat", "-1", "ENOENT")
    assert strace.path(parsed) == "/app/c.toml"


def test_call_with_padded_pid_and_decorated_result() -> None:
    parsed = call('8     1.5 openat(AT_FDCWD</>, "/etc/x", O_RDONLY) = 3</etc/x>')
    assert (parsed.pid, parsed.result, parsed.errno) == (8, "3</etc/x>", "")


def test_call_without_pid_or_time() -> None:
    assert call('access("/x", F_OK) = -1 ENOENT (No such file or directory)').pid == 0


def test_resumed_call_has_the_arguments_of_its_start() -> None:
    parsed = call(
        "9 2.0 <... openat resumed>) = -1 EACCES (Permission denied)",
        '9 1.0 openat(AT_FDCWD</>, "/data/x", O_RDWR <unfinished ...>',
    )
    assert (strace.path(parsed), parsed.errno, parsed.time) == ("/data/x", "EACCES", 1.0)


def test_resumed_call_whose_start_was_cut_off_has_no_path() -> None:
    assert strace.path(call("9 2.0 <... openat resumed>) = -1 EACCES (Permission denied)")) == ""


def test_call_that_never_returned() -> None:
    assert call("7 1.0 exit_group(3)   = ?").args == "3"


@pytest.mark.parametrize(
    ("line", "code", "signal"),
    [
        ("7 1.0 +++ exited with 3 +++", 3, ""),
        ("7 1.0 +++ killed by SIGSEGV (core dumped) +++", None, "SIGSEGV"),
    ],
)
def test_end_of_a_process(line: str, code: int | None, signal: str) -> None:
    assert strace.parse(line.encode(), 5) == Exit(7, 1.0, code, signal, 5)


def test_signal() -> None:
    line = b"7 1.0 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8} ---"
    assert strace.parse(line, 0) == Signal(7, "SIGSEGV", "si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8", 0)


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [
        (r"a\tb\n", "a\tb\n"),
        (r"\303\251", "é"),
        (r"\xc3\xa9", "é"),
        (r"say \"hi\" \\", 'say "hi" \\'),
        (r"\0", "\0"),
        (r"\9", "9"),
    ],
)
def test_escapes(quoted: str, plain: str) -> None:
    assert strace.unescape(quoted) == plain


def test_strings_of_an_exec_and_a_cut_one() -> None:
    args = '"/bin/sh", ["sh", "-c", "a \\"b\\""], 0x7ff /* 3 vars */'
    assert strace.strings(args) == ["/bin/sh", "sh", "-c", 'a "b"']
    assert strace.strings('"abc"..., 3') == ["abc…"]


def test_path_that_strace_could_not_read_is_empty() -> None:
    assert strace.path(call("7 1.0 openat(AT_FDCWD</>, 0x7ffc12, O_RDONLY) = -1 EFAULT (Bad address)")) == ""


def test_relative_path_of_an_old_call_needs_the_directory() -> None:
    parsed = call('7 1.0 access("conf/x", R_OK) = -1 ENOENT (No such file or directory)')
    assert strace.path(parsed, "/opt/app") == "/opt/app/conf/x"


@pytest.mark.parametrize(
    ("args", "address"),
    [
        ('sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.1")', Address("10.0.0.1", 80, "")),
        (
            'sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "fd00::1", &sin6_addr)',
            Address("fd00::1", 80, ""),
        ),
        (
            'sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "::ffff:10.0.0.1", &x)',
            Address("10.0.0.1", 80, ""),
        ),
        ('sa_family=AF_UNIX, sun_path="/run/x.sock"', Address("", 0, "/run/x.sock")),
        ('sa_family=AF_UNIX, sun_path=@"abstract"', Address("", 0, "abstract")),
        ("sa_family=AF_NETLINK, nl_pid=0", None),
    ],
)
def test_addresses(args: str, address: Address | None) -> None:
    line = f"7 1.0 connect(3<TCP:[1]>, {{{args}}}, 16) = -1 ECONNREFUSED (Connection refused)"
    assert strace.address(call(line)) == address


@given(st.binary(max_size=200))
def test_garbage_never_fails(line: bytes) -> None:
    parsed = strace.parse(line, 0, line)
    if isinstance(parsed, Call):
        strace.path(parsed)
        strace.address(parsed)
