"""YAML is read and written as kubectl does it."""

from typing import Any

import pytest

from rescue.errors import RescueError
from rescue.manifest import dump, load_all, load_with_lines

TRICKY = """
    yes No ON 0755 0o17 0x1f 1e3 1_000 .5 12:30:45 2026-01-01 null ~ NaN .inf = << y n true - -- --- ... * & ! % @ `
    a:b :a a: #a a#b {x} [x] ? | > ' " \\ é 日 1.0 10m 64Mi
"""
SPACED = ["", " ", "a b", "a: b", "a #b", "two\nlines", "end\n", "  in\nlines\n", "tab\there", "\0", "\x85", "x " * 80]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0755", 493), ("0o755", 493), ("0x10", 16), ("-5", -5), ("08", 8), ("1_000", 1000), ("1e3", 1000.0),
        ("yes", True), ("Off", False), ("y", True), ("~", None), ("", None), ("null", None),
        ("2026-01-01", "2026-01-01"), ("12:30:45", "12:30:45"), ("10m", "10m"), ("'0755'", "0755"), ("64Mi", "64Mi"),
    ],
)  # fmt: skip
def test_scalars_are_what_kubectl_takes_them_for(text: str, value: Any) -> None:
    assert load_all(f"key: {text}", "x.yaml") == [{"key": value}]


@pytest.mark.parametrize("text", [*TRICKY.split(), *SPACED], ids=repr)
def test_a_string_stays_the_string_it_is(text: str) -> None:
    value = {"list": [text], "map": {"key": text}}
    assert load_all(dump(value), "x.yaml") == [value]


def test_documents_and_json() -> None:
    assert load_all("a: 1\n---\n---\nb: 2\n", "x.yaml") == [{"a": 1}, {"b": 2}]
    assert load_all('{"a": [1, "x", null]}', "x.json") == [{"a": [1, "x", None]}]


def test_a_malformed_text_is_refused_with_its_line() -> None:
    with pytest.raises(RescueError, match=r"^x\.yaml:2: not valid YAML"):
        load_all("a: 1\nb: ]\n", "x.yaml")
    with pytest.raises(RescueError, match=r"^x\.yaml:1: not valid YAML"):
        load_all("a: \x01", "x.yaml")


def test_maps_know_their_line() -> None:
    assert load_with_lines("rules:\n\n  - id: a\n", "x.yaml")["rules"][0].lc.line == 2
