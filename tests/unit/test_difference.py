"""The diff of a plan: every change with its reason, readable, and harmless to a terminal."""

import copy
from typing import Any

import pytest

from rescue.difference import coloured, render
from rescue.model import Change, Command, JsonObject, Plan
from rescue.rulebook import load_rules

from .harmless import make_plan
from .recorded import names, recorded

RULES = {rule.id: rule for rule in load_rules((), ())}
POD: JsonObject = {"metadata": {"name": "web-0"}, "spec": {"containers": [{"name": "web", "image": "shop:1"}]}}


def plan(*operations: JsonObject, why: str = "Because.", pod: JsonObject = POD) -> Plan:
    """A plan with a rule for each operation."""
    changes = (Change(f"rule-{number}", why, f"a.yaml:{number}", one) for number, one in enumerate(operations))
    return Plan(pod, {"metadata": {"name": "rescue-web-0-x"}}, tuple(changes), Command((), "spec", "a note"), ())


def shown(*operations: JsonObject, pod: JsonObject = POD) -> list[str]:
    """The lines of the changes alone."""
    return [line for line in render(plan(*operations, pod=pod)).splitlines() if line[:1] in ("+", "-")]


@pytest.mark.parametrize("name", names())
def test_every_change_of_a_plan_stands_below_its_reason_and_rule(name: str) -> None:
    pod = recorded(name)["last"]
    made = make_plan(pod, pod["spec"]["containers"][0]["name"])
    text = render(made)
    for block in text.split("\n\n")[1:-1]:
        why, rules, *lines = block.splitlines()
        assert lines
        for rule in rules.removeprefix("#   ").split(", "):
            found = RULES[rule.split()[0]]
            assert (f"# {found.why}", f"{found.id} ({found.where})") == (why, rule)
    for change in made.changes:
        assert f"{change.rule} ({change.where})" in text


def test_rules_with_the_same_reason_stand_together() -> None:
    text = render(plan({"op": "add", "path": "/a", "value": 1}, {"op": "add", "path": "/b", "value": 2}))
    assert text == (
        "# web-0 -> rescue-web-0-x\n\n# Because.\n#   rule-0 (a.yaml:0), rule-1 (a.yaml:1)\n+ a: 1\n+ b: 2\n\n"
        "# the command comes from: spec (a note)\n"
    )


@pytest.mark.parametrize(
    ("operation", "lines"),
    [
        (
            {"op": "replace", "path": "/spec/containers/0/image", "value": "shop:2"},
            ['- spec.containers[web].image: "shop:1"', '+ spec.containers[web].image: "shop:2"'],
        ),
        ({"op": "remove", "path": "/spec/containers/0/image"}, ['- spec.containers[web].image: "shop:1"']),
        (
            {"op": "add", "path": "/spec/containers/0", "value": {"name": "log"}},
            ['+ spec.containers[log]: {"name": "log"}'],
        ),
        ({"op": "add", "path": "/spec/containers/-", "value": 1}, ["+ spec.containers[+]: 1"]),
        (
            {"op": "add", "path": "/metadata/labels", "value": {"a.b/c~d": "e"}},
            ['+ metadata.labels: {"a.b/c~d": "e"}'],
        ),
        ({"op": "add", "path": "/metadata/x.y~1z", "value": ""}, ["+ metadata['x.y/z']: \"\""]),
    ],
)
def test_a_change_names_what_it_changes_by_its_name(operation: JsonObject, lines: list[str]) -> None:
    assert shown(operation) == lines


def test_what_an_earlier_change_made_is_what_a_later_one_takes_away() -> None:
    first = {"op": "add", "path": "/spec/containers/0", "value": {"name": "log", "image": "log:1"}}
    lines = shown(first, {"op": "remove", "path": "/spec/containers/1/image"})
    assert lines[-1] == '- spec.containers[web].image: "shop:1"'


def test_a_long_value_is_shown_whole_in_lines() -> None:
    probe = {"exec": {"command": ["sh", "-c", "set -e\nexec pg_isready -h 127.0.0.1 -p 5432\n"]}, "periodSeconds": 10}
    probe["httpGet"] = {"path": "/healthz/ready", "port": 8080}
    assert shown({"op": "add", "path": "/spec/probe", "value": probe}) == [
        "+ spec.probe:",
        "+   exec:",
        "+     command:",
        "+       - sh",
        '+       - "-c"',
        "+       - |",
        "+         set -e",
        "+         exec pg_isready -h 127.0.0.1 -p 5432",
        "+   periodSeconds: 10",
        "+   httpGet:",
        "+     path: /healthz/ready",
        "+     port: 8080",
    ]
    assert shown({"op": "add", "path": "/spec/x", "value": "y" * 101}) == ["+ spec.x:", f"+   {'y' * 101}"]


@pytest.mark.parametrize("value", ["\x1b[2J", "\x9b2J", {"k": "\x1b[2J" + "x" * 100}, {"\x9b": "x" * 100}])
def test_what_a_pods_author_wrote_does_not_steer_the_terminal(value: Any) -> None:
    text = render(plan({"op": "add", "path": "/spec/x", "value": value}))
    assert not {"\x1b", "\x9b"} & set(text)
    assert "2J" in text or "x" * 100 in text


def test_colour_adds_nothing_but_colour() -> None:
    pod = recorded("liveness")["last"]
    text = render(make_plan(pod, pod["spec"]["containers"][0]["name"]))
    styled = coloured(text)
    assert "\x1b[31m- spec.nodeName:" in styled
    assert "\x1b[32m+ spec.activeDeadlineSeconds: 3600\x1b[0m\n" in styled
    assert "\x1b[36m# A probe would restart" in styled
    for code in ("1", "2", "31", "32", "36", "0"):
        styled = styled.replace(f"\x1b[{code}m", "")
    assert styled == text


def test_a_diff_leaves_the_plan_as_it_is() -> None:
    made = plan({"op": "add", "path": "/spec/x", "value": []}, {"op": "add", "path": "/spec/x/-", "value": 1})
    before = copy.deepcopy(made)
    render(made)
    assert made == before
