"""The diagnosis rules: YAML files read into dataclasses, each rule with its file and line.

A rule names its condition over the closed list of ``rescue.facts`` and a fixed dict of
comparators.  There is no expression language: conditions are ``{fact, comparator}``, ``{all: […]}``
and ``{any: […]}``.  An unknown fact, comparator or placeholder is an error at load.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rescue.diagnosis.facts import FACTS, GLOBAL_GROUPS, GROUPS, Value
from rescue.errors import ExitCode, RescueError
from rescue.manifest import load_with_lines
from rescue.model import Confidence, JsonObject

COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda value, wanted: bool(value == wanted),
    "is_not": lambda value, wanted: bool(value != wanted),
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "at_least": lambda value, wanted: value is not None and value >= wanted,
    "at_most": lambda value, wanted: value is not None and value <= wanted,
    "known": lambda value, wanted: (value not in (None, "")) is wanted,
    "contains": lambda value, wanted: wanted in str(value or ""),
}

Facts = Mapping[str, Value]
_HOLE = re.compile(r"\{([a-z_]+\.[a-z_]+)\}")
_FIELDS = ("code", "title", "when", "confidence", "specificity", "fallback", "message", "also", "advice", "examples")
_OUTCOMES = (*Confidence, "miss")


@dataclass(frozen=True)
class Test:
    """One comparison of one fact."""

    fact: str
    comparator: str
    wanted: Any

    def holds(self, facts: Facts) -> bool:
        """A fact that is not there is None."""
        return COMPARATORS[self.comparator](facts.get(self.fact), self.wanted)


@dataclass(frozen=True)
class Group:
    """``all`` or ``any`` of some conditions; ``all`` of none holds."""

    every: bool
    parts: "tuple[Condition, ...]"

    def holds(self, facts: Facts) -> bool:
        """Judge the parts in order."""
        return (all if self.every else any)(part.holds(facts) for part in self.parts)


Condition = Test | Group


@dataclass(frozen=True)
class Sentence:
    """A part of a message that is said only when its condition holds."""

    when: Condition
    text: str


@dataclass(frozen=True)
class Cause:
    """One rule; ``where`` is ``file:line``.

    The first level of ``confidence`` whose condition holds is the finding's.  ``specificity``
    orders findings of equal confidence: the nearer to the root, the higher.  A ``fallback`` is
    judged only when nothing better than a hint was found.
    """

    code: str
    title: str
    about: str
    when: Condition
    confidence: tuple[tuple[Confidence, Condition], ...]
    specificity: int
    fallback: bool
    message: str
    also: tuple[Sentence, ...]
    advice: str
    examples: tuple[tuple[str, JsonObject], ...]
    where: str

    def judge(self, facts: Facts) -> Confidence | None:
        """How sure the rule is of these facts; None when it does not apply."""
        if not self.when.holds(facts):
            return None
        return next((level for level, condition in self.confidence if condition.holds(facts)), None)

    def say(self, facts: Facts) -> str:
        """The message with every placeholder filled in."""
        parts = [self.message, *(s.text for s in self.also if s.when.holds(facts))]
        return fill(" ".join(part.strip() for part in parts), facts)


def fill(text: str, facts: Facts) -> str:
    """``{file.path}`` becomes the value of that fact; a fact that is not known reads ``?``."""
    return _HOLE.sub(lambda hole: _shown(facts.get(hole[1])), text)


def _shown(value: Value) -> str:
    if value is None:
        return "?"
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def load(text: str, source: str) -> tuple[Cause, ...]:
    """One rule file; raises RescueError (usage) with ``source:line`` for anything that it does not know."""
    document = load_with_lines(text, source)
    about = str(document.get("about", ""))
    if about not in GROUPS or set(document) - {"about", "rules"}:
        raise _error(f"{source}:1", f"'about' must be one of {', '.join(sorted(GROUPS))}, beside it 'rules' only")
    return tuple(_cause(raw, about, f"{source}:{raw.line}") for raw in document.get("rules") or [])


def _cause(raw: Any, about: str, where: str) -> Cause:
    _check_fields(raw, where)
    return Cause(
        code=str(raw["code"]),
        title=str(raw["title"]),
        about=about,
        when=_condition(raw["when"], about, where),
        confidence=_confidence(raw["confidence"], about, where),
        specificity=int(raw["specificity"]),
        fallback=bool(raw.get("fallback", False)),
        message=_template(raw["message"], about, where),
        also=tuple(
            Sentence(_condition(part["when"], about, where), _template(part["say"], about, where))
            for part in raw.get("also") or []
        ),
        advice=_template(raw["advice"], about, where),
        examples=tuple(_example(key, value, about, where) for key, value in raw["examples"].items()),
        where=where,
    )


def _check_fields(raw: Any, where: str) -> None:
    missing = [name for name in _FIELDS if name not in raw and name not in ("fallback", "also")]
    unknown = sorted(set(raw) - set(_FIELDS))
    if missing or unknown:
        raise _error(where, f"missing fields {missing}, unknown fields {unknown}")
    outcomes = set(raw["examples"])
    if outcomes - set(_OUTCOMES) or "miss" not in outcomes or len(outcomes) < 2:
        raise _error(where, f"examples need a miss and a hit; their names are {', '.join(_OUTCOMES)}")


def _example(outcome: str, values: Any, about: str, where: str) -> tuple[str, JsonObject]:
    for fact in values:
        _known_fact(fact, about, where)
    return str(outcome), dict(values)


def _confidence(raw: Any, about: str, where: str) -> tuple[tuple[Confidence, Condition], ...]:
    levels = {raw: {"all": []}} if isinstance(raw, str) else raw
    unknown = sorted(set(levels) - set(Confidence))
    if unknown:
        raise _error(where, f"unknown confidence {unknown}; known: {', '.join(Confidence)}")
    return tuple((level, _condition(levels[level], about, where)) for level in Confidence if level in levels)


def _condition(raw: Any, about: str, where: str) -> Condition:
    for word in ("all", "any"):
        if set(raw) == {word}:
            return Group(word == "all", tuple(_condition(part, about, where) for part in raw[word]))
    names = [key for key in raw if key != "fact"]
    if "fact" not in raw or len(names) != 1 or names[0] not in COMPARATORS:
        raise _error(
            where, f"a condition is a fact with one of {', '.join(COMPARATORS)}, or all, or any; not {dict(raw)}"
        )
    _known_fact(raw["fact"], about, where)
    return Test(str(raw["fact"]), str(names[0]), _plain(raw[names[0]]))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _template(text: Any, about: str, where: str) -> str:
    for hole in re.findall(r"\{([^}]*)\}", str(text)):
        _known_fact(hole, about, where)
    return " ".join(str(text).split())


def _known_fact(name: str, about: str, where: str) -> None:
    if name not in FACTS or name.split(".")[0] not in (about, *GLOBAL_GROUPS):
        raise _error(where, f"unknown fact {name} for a rule about {about}")


def _error(where: str, problem: str) -> RescueError:
    return RescueError(f"{where}: {problem}", "rescue/diagnosis/facts.py lists every fact", ExitCode.USAGE)
