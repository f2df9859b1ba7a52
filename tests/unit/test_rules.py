"""Every rule does what its examples say, and a malformed rule file is refused with its line."""

import copy
from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.plan import apply_rules
from rescue.rulebook import load_rules
from rescue.rules import LISTS, PLACEHOLDERS, Rule, combine, fill, fill_path, parse

RULES = load_rules((), ())
EXAMPLES = [(rule, example) for rule in RULES for example in rule.examples]
NOTHING: dict[str, Any] = {**dict.fromkeys(PLACEHOLDERS), **dict.fromkeys(LISTS, ()), "clone.quarantine": []}
ONE = "rules:\n  - {id: a, op: remove, path: $.status}\n"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_reason_and_an_example(rule: Rule) -> None:
    assert rule.why.endswith(".")
    assert rule.examples


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=lambda value: getattr(value, "id", ""))
def test_an_example_holds(rule: Rule, example: Any) -> None:
    before = copy.deepcopy(example.before)
    after, _, _ = apply_rules([rule], example.before, {**NOTHING, **example.values})
    assert after == example.after
    assert example.before == before, "the manifest that was given is not touched"


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=lambda value: getattr(value, "id", ""))
def test_a_rule_changes_nothing_the_second_time(rule: Rule, example: Any) -> None:
    after, _, _ = apply_rules([rule], example.before, {**NOTHING, **example.values})
    again, changes, _ = apply_rules([rule], after, {**NOTHING, **example.values})
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
        ("rules:\n  - {id: a, op: remove, path: $.a, each: source.pod}", "mine.yaml:2: each must be one of"),
        ("rules:\n  - {id: a, op: add, path: $.a, key: 0, value: 1}", "mine.yaml:2: key must be a text, not 0"),
        ("rules:\n  - {id: a, op: remove, path: $.a, why: [x]}", "mine.yaml:2: why must be a text"),
        ("rules:\n  - {id: a, op: remove, path: $.a, each: {}}", "mine.yaml:2: each must be a text"),
        ("rules:\n  - {id: a, op: remove, path: $.a, each: [a]}", "mine.yaml:2: each must be a text"),
        ("rules:\n  - {id: a, op: remove, path: $.a, warn: 3}", "mine.yaml:2: warn must be a text, not 3"),
        ("rules:\n  - {id: a, op: remove, path: $.a, when: [x]}", "mine.yaml:2: when must be a text"),
        ("rules:\n  - {id: a, op: [add], path: $.a, value: 1}", "mine.yaml:2: op must be one of"),
        ("rules:\n  - {id: a, op: remove, path: $.a, missing: {}}", "mine.yaml:2: missing must be one of"),
        ("rules:\n  - {id: '', op: remove, path: $.a}", "mine.yaml:2: a rule needs an id"),
        ("rules:\n  - {id: a, op: remove}", "mine.yaml:2: a rule needs a path"),
        ("rules:\n  - {id: a, op: remove, path: $.a, examples: [{}]}", "mine.yaml:2: examples are a list of maps"),
        ("rules:\n  - {id: a, op: remove, path: $.a, examples: 5}", "mine.yaml:2: examples are a list of maps"),
        ("rules:\n  - {id: a, op: remove, path: $.a, examples: [{before: {}}]}", "mine.yaml:2: examples are a list"),
        (
            "rules:\n  - {id: a, op: remove, path: $.a, examples: [{before: {}, after: 5}]}",
            "mine.yaml:2: examples are a list of maps with before and after, which are maps",
        ),
        (
            "rules:\n  - {id: a, op: remove, path: $.a, examples: [{before: {}, after: {}, values: 5}]}",
            "mine.yaml:2: examples are a list of maps",
        ),
        ("rules:\n  - {id: a, op: remove, path: '$.a[{each.x}]', each: user.env}", "mine.yaml:2: unknown placeholder"),
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
        ({"{source.command}": 1, 2: 3}, {"['a', 'b']": 1, "2": 3}),  # A name is a text, whatever stands for it.
        ("${NOT} {a hole}", "${NOT} {a hole}"),
        (7, 7),
    ],
)
def test_a_whole_placeholder_keeps_its_type(value: Any, filled: Any) -> None:
    values = {"source.command": ["a", "b"], "source.pod": "shop", "clone.ttlSeconds": 60}
    assert fill(value, values) == filled


@pytest.mark.parametrize(
    ("path", "value", "filled"),
    [
        ("$.x[{clone.quarantine}]", ["a", "it's"], "$.x['a','it\\'s']"),
        ("$.x[{clone.quarantine}]", [], "$.x['']"),
        ("$.x[?@.a=='{clone.quarantine}']", "labels['b']", "$.x[?@.a=='labels[\\'b\\']']"),
    ],
)
def test_a_value_in_a_path_is_quoted(path: str, value: Any, filled: str) -> None:
    assert fill_path(path, {"clone.quarantine": value}) == filled


EACH = (
    "rules:\n  - {id: a, each: user.env, op: add, path: /env, key: '-', value: '{each.name}', warn: 'set {each.value}'}"
)


def test_a_rule_is_repeated_for_each_item_and_warns_of_what_it_changed() -> None:
    items = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    after, changes, warnings = apply_rules(parse(EACH, "m"), {"env": ["a"]}, {"user.env": items})
    assert after == {"env": ["a", "b"]}
    assert [change.operation for change in changes] == [{"op": "add", "path": "/env/-", "value": "b"}]
    assert warnings == ["set 2"]


def test_the_recorded_operations_stay_as_they_were_when_a_later_rule_changes_what_they_added() -> None:
    text = "rules:\n  - {id: a, op: add, path: /, key: x/-, value: 1, missing: create}\n"
    text += "  - {id: b, op: add, path: /x, key: '-', value: 2}\n"
    rules = parse(text.replace("path: /,", "path: '',"), "m")
    _, changes, _ = apply_rules(rules, {}, {})
    assert [change.operation["value"] for change in changes] == [[], 1, 2]
