"""YAML is read and written as kubectl does it."""

import json
from typing import Any

import pytest

from rescue.dump import dump
from rescue.errors import RescueError
from rescue.manifest import load_all, load_with_lines

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


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 20_000])
def test_what_is_nested_without_end_is_not_a_manifest(text: str) -> None:
    with pytest.raises(RescueError, match=r"x\.yaml"):
        load_all(text, "x.yaml")


def test_documents_and_json() -> None:
    assert load_all("a: 1\n---\n---\nb: 2\n", "x.yaml") == [{"a": 1}, {"b": 2}]
    assert load_all('{"a": [1, "x", null]}', "x.json") == [{"a": [1, "x", None]}]


def test_json_is_read_as_json() -> None:
    text = json.dumps({"smile": "\U0001f600", "octal": "0755"})
    assert "\\ud83d" in text, "which YAML does not know"
    assert load_all(text, "x.json") == [{"smile": "\U0001f600", "octal": "0755"}]
    assert load_all("null", "x.json") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("y: 1", {"true": 1}), ("80: a", {"80": "a"}), ("~: 1", {"null": 1}), ("'y': 1", {"y": 1})],
)
def test_keys_are_texts_as_in_json(text: str, value: Any) -> None:
    assert load_all(text, "x.yaml") == [value]


def test_a_key_that_is_there_twice_is_refused_and_a_merged_one_is_overridden() -> None:
    with pytest.raises(RescueError, match=r"^x\.yaml:3: not valid YAML: found duplicate key 'a'"):
        load_all("b: 1\na: 1\na: 2\n", "x.yaml")
    assert load_all("- &x {a: 1, b: 1}\n- {<<: *x, b: 2}\n", "x.yaml") == [[{"a": 1, "b": 1}, {"a": 1, "b": 2}]]


def test_a_malformed_text_is_refused_with_its_line() -> None:
    with pytest.raises(RescueError, match=r"^x\.yaml:2: not valid YAML"):
        load_all("a: 1\nb: ]\n", "x.yaml")
    with pytest.raises(RescueError, match=r"^x\.yaml:1: not valid YAML"):
        load_all("a: \x01", "x.yaml")


def test_maps_know_their_line() -> None:
    rules = load_with_lines("rules:\n\n  - id: a\n  - text\n", "x.yaml")["rules"]
    assert (rules[0].line, rules.lines) == (3, (3, 4))
