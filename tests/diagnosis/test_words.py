"""What a program says: names, errors, warnings, and exceptions."""

import pytest

from rescue.diagnosis import exceptions, output
from rescue.diagnosis.evidence import CaseFiles
from rescue.diagnosis.output import Output


def said(stderr: str, previous_log: bytes = b"") -> Output:
    return output.read(CaseFiles(container="app", stderr=stderr.encode(), previous_log=previous_log))


@pytest.mark.parametrize(
    ("text", "path", "errno", "names"),
    [
        ("open /etc/app/x.toml: no such file", "/etc/app/x.toml", "ENOENT", True),
        ("cannot read x.toml", "/etc/app/x.toml", "ENOENT", True),
        ("cannot read max.toml", "/etc/app/x.toml", "ENOENT", False),
        ("cannot read x.toml.bak", "/etc/app/x.toml", "ENOENT", False),
        ("the data is gone", "/var/data", "ENOENT", False),
        ("data: No such file or directory", "/var/data", "ENOENT", True),
        ("WARNING: /etc/app/x.toml not found, using defaults", "/etc/app/x.toml", "ENOENT", False),
    ],
)
def test_words_that_name_a_path(text: str, path: str, errno: str, names: bool) -> None:
    assert (said(text).saying(path, errno) is not None) is names


def test_line_numbers_count_empty_lines_and_survive_colours() -> None:
    lines = said("one\n\n\x1b[31mtwo\x1b[0m\r\n").tail
    assert [(line.source, line.text) for line in lines] == [("stderr:1", "one"), ("stderr:3", "two")]


def test_line_numbers_of_a_long_output() -> None:
    (last,) = output.lines("stdout", b"x" * 99 + b"\n" + b"filler\n" * 100_000 + b"end\n")[-1:]
    assert (last.source, last.text) == ("stdout:100002", "end")


def test_log_of_the_original_stands_in_for_silence_only() -> None:
    silent = output.read(CaseFiles(container="app", previous_log=b"boom\n"))
    assert [line.source for line in silent.tail] == ["previous.log:1"]
    assert [line.source for line in said("x", previous_log=b"boom\n").tail] == ["stderr:1"]


def test_excuse_is_the_programs_own_word_that_it_does_without() -> None:
    assert said("warning: /etc/x not found").excuses("/etc/x")
    assert not said("error: /etc/x not found").excuses("/etc/x")


@pytest.mark.parametrize(
    ("text", "specific"),
    [("fatal: cannot start", False), ("DATABASE_URL must be set", True), ("unknown option 'x'", True), ("", False)],
)
def test_last_line_that_names_a_thing(text: str, specific: bool) -> None:
    assert said(text).is_specific() is specific


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("open '/etc/x': denied", ["/etc/x"]),
        ("a=/etc/x,/etc/y.", ["/etc/x", "/etc/y"]),
        ("http://host/path and 1/2", []),
    ],
)
def test_paths_in_a_line(text: str, paths: list[str]) -> None:
    assert output.paths(text) == paths


PYTHON = """Traceback (most recent call last):
  File "a.py", line 3, in f
    g()
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 9, in <module>
    raise RuntimeError("no config") from e
app.errors.ConfigError: no config
"""
PYDANTIC = """Traceback (most recent call last):
  File "a.py", line 3, in f
    g()
pydantic_core.ValidationError: 1 validation error for Settings
database_url
  Field required [type=missing]
"""
SYNTAX = """  File "/app/a.py", line 1
    def (:
        ^
SyntaxError: invalid syntax
"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: boom
\tat Main.main(Main.java:3)
Caused by: java.io.IOException: disk
\tat java.base/x.y(Z.java:4)
\t... 1 more
"""
SPRING = """12:00 ERROR SpringApplication - Application run failed
org.springframework.beans.factory.BeanCreationException: no bean
\tat a.b.c(D.java:1)
"""
GO = """2026/01/01 starting
panic: assignment to entry in nil map

goroutine 1 [running]:
main.main()
\t/src/main.go:7 +0x1d
exit status 2
"""
NODE = """/app/a.js:1
throw new TypeError('bad')
^

TypeError: bad
    at Object.<anonymous> (/app/a.js:1:7)

Node.js v20.1.0
"""
NODE_CODE = """node:events:502
      throw er; // Unhandled 'error' event
      ^

Error [ERR_X]: connect
    at a (node:net:1:2) {
  code: 'ERR_X'
}

Node.js v20.1.0
"""
RUBY = """/app/main.rb:3:in `fetch': key not found: "URL" (KeyError)
\tfrom /app/main.rb:7:in `<main>'
"""
DOTNET = """Unhandled exception. System.InvalidOperationException: cannot start
 ---> System.IO.FileNotFoundException: Could not find file '/app/x'.
   at Shop.Load(String path)
   --- End of inner exception stack trace ---
   at Shop.Main()
"""
RUST = """thread 'main' panicked at src/main.rs:4:10:
called `Result::unwrap()` on an `Err` value: ParseIntError { kind: Empty }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""


@pytest.mark.parametrize(
    ("text", "language", "type_", "message"),
    [
        (PYTHON, "Python", "app.errors.ConfigError", "no config"),
        (PYDANTIC, "Python", "pydantic_core.ValidationError", "1 validation error for Settings"),
        (SYNTAX, "Python", "SyntaxError", "invalid syntax"),
        (JAVA, "Java", "java.io.IOException", "disk"),
        (SPRING, "Java", "org.springframework.beans.factory.BeanCreationException", "no bean"),
        (GO, "Go", "panic", "assignment to entry in nil map"),
        (NODE, "Node.js", "TypeError", "bad"),
        (RUBY, "Ruby", "KeyError", 'key not found: "URL"'),
        (DOTNET, ".NET", "System.IO.FileNotFoundException", "Could not find file '/app/x'."),
        (RUST, "Rust", "panicked", "src/main.rs:4:10:"),
        (NODE_CODE, "Node.js", "Error [ERR_X]", "connect"),
    ],
)
def test_exception_is_found_whole(text: str, language: str, type_: str, message: str) -> None:
    (report,) = exceptions.find(said(text))
    assert (report.language, report.type, report.message) == (language, type_, message)
    assert report.lines_after == 0
    assert report.text() in "\n".join(line for line in text.splitlines() if line)


def test_exception_that_was_handled_has_lines_after_it() -> None:
    (report,) = exceptions.find(said(PYTHON + "retrying\nretrying\nconnected\n"))
    assert report.lines_after == 3


def test_logged_java_exception_is_less_sure_than_one_of_the_runtime() -> None:
    assert [r.sure for r in exceptions.find(said(SPRING))] == [False]
    assert [r.sure for r in exceptions.find(said(JAVA))] == [True]


@pytest.mark.parametrize("text", ["Error: bad option\n", "error: x\n  at home\n", "panic at the disco\n"])
def test_plain_words_are_no_exception(text: str) -> None:
    assert exceptions.find(said(text)) == []
