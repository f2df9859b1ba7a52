"""Every rule of the clone is needed: without it some clone of the corpus does harm, or is another program."""

import re

import pytest

from rescue.errors import RescueError
from rescue.model import JsonObject
from rescue.rulebook import load_rules
from rescue.rules import Rule
from tests.shapes import containers, names, shape

from . import harmless
from .faithful import differences
from .harmless import make_plan, problems

# Rules that do nothing unless the user wishes something, or a scout is planned.
_WISHED = re.compile(r"(?<!not )(user|claims)\.(?!empty)|(?<!not )clone\.(isScout|isAlone|left|gone)")
RULES = load_rules((), ())
ALWAYS = [rule for rule in RULES if not _WISHED.search(f"{rule.when} {rule.each} {rule.path}")]


@pytest.mark.parametrize("rule", ALWAYS, ids=lambda rule: rule.id)
def test_a_rule_is_needed(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    others = tuple(other for other in RULES if other is not rule)
    monkeypatch.setattr(harmless, "rules", lambda: others)
    assert any(_is_wrong(shape(name), each["name"]) for name in names() for each in containers(shape(name)))


def _is_wrong(pod: JsonObject, container: str) -> bool:
    """Whether there is no plan, or anything to say against its clone."""
    try:
        clone = make_plan(pod, container).clone
    except RescueError:
        return True
    return bool(problems(clone) or differences(pod, clone, container))


def test_most_rules_are_for_every_pod() -> None:
    assert len(ALWAYS) > 40
