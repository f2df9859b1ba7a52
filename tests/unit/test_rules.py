"""Every rule does what its examples say, and a malformed rule file is refused with its line."""

import copy
from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.plan import apply_rule
from rescue.planning import load_rules
from rescue.rules import PLACEHOLDERS, Rule, combine, fill, parse

RULES = load_rules((), ())
EXAMPLES = [(rule, example) for rule in RULES for example in rule.examples]
NOTHING: dict[str, Any] = {**dict.fromkeys(PLACEHOLDERS), "clone.quarantine": [], "source.hostPaths": ""}
ONE = "rules:\n  - {id: a, op: remove, path: $.status}\n"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_reason_and_an_example(rule: Rule) -> None:
    assert rule.why.endswith(".")
    assert rule.examples


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=lambda value: getattr(value, "id", ""))
def test_an_example_holds(rule: Rule, example: Any) -> None:
    before = copy.deepcopy(example.before)
    after, _ = apply_rule(rule, example.before, {**NOTHING, **example.values})
    assert after == example.after
    assert example.before == before, "the manifest that was given is not touched"


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=lambda value: getattr(value, "id", ""))
def test_a_rule_changes_nothing_the_second_time(rule: Rule, example: Any) -> None:
    after, _ = apply_rule(rule, example.before, {**NOTHING, **example.values})
    again, changes = apply_rule(rule, after, {**NOTHING, **example.values})
    assert (again, changes) == (after, [])


def test_rule_ids_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [", "mine.yaml:1: not valid YAML"),
        ("rules: 5", "mine.yaml:1: a rule file is a map with a list named rules"),
        ("- a", "mine.yaml:1: a rule file is a map"),
        ("rules:\n  - text", "mine.yaml:2: a rule is a map"),
        ("rules:\n  - {op: remove, path: $.a}", "mine.yaml:2: a rule needs an id"),
        ("rules:\n  - {id: a, op: test, path: $.a}", "mine.yaml:2: op must be one of"),
        ("rules:\n  - {id: a, op: add, path: $.a}", "mine.yaml:2: this op needs a value"),
        ("rules:\n\n  - {id: a, op: remove, path: '$.a['}", "mine.yaml:3: "),
        ("rules:\n  - {id: a, op: remove, path: spec.a}", "mine.yaml:2: spec.a: a path starts with"),
        ("rules:\n  - {id: a, op: remove, path: $.a, pathh: x}", "mine.yaml:2: unknown field ['pathh']"),
        ("rules:\n  - {id: a, op: add, path: /a, value: '{clone.nme}'}", "mine.yaml:2: unknown placeholder"),
        ("rules:\n  - {id: a, op: remove, path: $.a, when: target.x}", "mine.yaml:2: unknown condition"),
        ("rules:\n  - {id: a, op: remove, path: $.a, missing: maybe}", "mine.yaml:2: missing must be one of"),
    ],
)
def test_a_malformed_rule_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(RescueError) as refused:
        parse(text, "mine.yaml")
    assert refused.value.message.startswith(problem)
    assert refused.value.code is ExitCode.USAGE


def test_a_rule_of_the_user_takes_the_place_of_one_with_its_id() -> None:
    mine = parse(
        "rules:\n  - {id: deadline, op: add, path: /spec, key: x, value: 1}\n  - {id: new, op: remove, path: $.y}", "m"
    )
    combined = combine(RULES, mine, [])
    assert [rule.id for rule in combined] == [*(rule.id for rule in RULES), "new"]
    assert next(rule for rule in combined if rule.id == "deadline").value == 1


def test_a_skipped_rule_is_gone_and_an_unknown_one_is_an_error() -> None:
    assert combine(parse(ONE, "m"), [], ["a"]) == []
    with pytest.raises(RescueError, match="no rule has the id 'b'"):
        combine(parse(ONE, "m"), [], ["b"])


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("{source.command}", ["a", "b"]),
        ("pod {source.pod}", "pod shop"),
        ({"k{source.pod}": ["{clone.ttlSeconds}", "{clone.ttlSeconds} s"]}, {"kshop": [60, "60 s"]}),
        ("$.x[{source.command}]", "$.x['a','b']"),
        ("${NOT} {a hole}", "${NOT} {a hole}"),
        (7, 7),
    ],
)
def test_a_whole_placeholder_keeps_its_type(value: Any, filled: Any) -> None:
    values = {"source.command": ["a", "b"], "source.pod": "shop", "clone.ttlSeconds": 60}
    assert fill(value, values) == filled


def test_an_empty_list_in_a_path_selects_nothing() -> None:
    assert fill("$.x[{clone.quarantine}]", NOTHING) == "$.x['']"


def test_a_label_with_a_quote_is_quoted() -> None:
    assert fill("$.x[{clone.quarantine}]", {"clone.quarantine": ["it's"]}) == "$.x['it\\'s']"
