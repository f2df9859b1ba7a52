"""The clone's rules: YAML files read into dataclasses, each rule with its file and line.

A rule is an RFC 6902 operation whose ``path`` may match many places, a reason, and a policy for ``missing``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rescue import jsonpath
from rescue.errors import ExitCode, RescueError
from rescue.manifest import Items, Map, load_with_lines
from rescue.model import JsonObject

OPERATIONS = ("add", "replace", "remove")
MISSING = ("skip", "fail", "create")
TEXTS = ("id", "path", "key", "when", "each", "why", "warn")
FIELDS = ("id", "op", "path", "key", "value", "missing", "when", "each", "why", "warn", "examples")

# Lists of maps that a rule may go through with ``each``, and the fields that {each.field} may name.
LISTS = {
    "claims.cloned": ("volume", "template"),
    "claims.shared": ("volume", "source"),
    "source.fieldValues": ("path", "value"),
    "source.node": ("name",),
    "user.env": ("name", "value"),
    "user.images": ("container", "image"),
    "user.lessMemory": ("limit",),
    "user.memory": ("limit",),
    "user.runAs": ("uid", "nonRoot"),
    "user.unset": ("name",),
}
# Every value that a rule may name as {name}; rescue.placeholders fills them in.
PLACEHOLDERS = frozenset(
    {
        *LISTS,
        "claims.empty",
        "claims.readOnly",
        "clone.expires",
        "clone.finished",
        "clone.isAlone",
        "clone.gone",
        "clone.isScout",
        "clone.left",
        "clone.name",
        "clone.quarantine",
        "clone.strayProfiles",
        "clone.ttlSeconds",
        "scout.script",
        "source.command",
        "source.container",
        "source.devices",
        "source.disks",
        "source.isAdmitted",
        "source.hostPaths",
        "source.hostname",
        "source.isStatic",
        "source.labels",
        "source.pod",
        "source.uid",
        "source.user",
        "target.asContainers",
        "target.container",
        "target.earlierInits",
        "target.image",
        "target.isInit",
        "toolkit.image",
        "user.anyNode",
        "user.changesResources",
        "user.minimalRequests",
        "user.ownIdentity",
    }
)
_HOLE = re.compile(r"\{([a-z]+\.[A-Za-z]+)\}")


@dataclass(frozen=True)
class Example:
    """A manifest before and after one rule, with the placeholder values that it needs."""

    before: JsonObject
    after: JsonObject
    values: JsonObject


@dataclass(frozen=True)
class Rule:
    """One rule; ``where`` is ``file:line``.

    ``when`` names a placeholder that must be true (or ``not NAME``); ``each`` one of LISTS, for whose items the rule is
    repeated; ``warn`` is said to the user when the rule changes something.
    """

    id: str
    op: str
    path: str
    key: str | None
    value: Any
    missing: str
    when: str | None
    each: str | None
    why: str
    warn: str | None
    where: str
    examples: tuple[Example, ...]


def fill(value: Any, values: JsonObject) -> Any:
    """``value`` with every ``{name}`` replaced.

    A scalar that is nothing but one placeholder takes the placeholder's own type.
    """
    if isinstance(value, dict):
        return {str(fill(key, values)): fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = _HOLE.fullmatch(value)
    if whole:
        return values[whole[1]]
    return _HOLE.sub(lambda hole: str(values[hole[1]]), value)


def fill_path(path: str, values: JsonObject) -> str:
    """A rule's path with every ``{name}`` replaced: in quotes by a text, else by the names of a JSONPath selector."""
    return _HOLE.sub(lambda hole: _selector(values[hole[1]]), path)


def _selector(value: Any) -> str:
    if not isinstance(value, list):
        return _escaped(value)
    # '' is a name that no field has: an empty list selects nothing.
    return ",".join(f"'{_escaped(name)}'" for name in value or [""])


def _escaped(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace("'", "\\'")


def _error(where: str, problem: str) -> RescueError:
    return RescueError(f"{where}: {problem}", "see patches/ for rules that work", ExitCode.USAGE)


def _unknown_holes(raw: JsonObject) -> list[str]:
    named = set(_HOLE.findall(str([raw.get(field) for field in ("path", "value", "key", "warn")])))
    item = {f"each.{field}" for field in LISTS.get(str(raw.get("each")), ())}
    return sorted(named - PLACEHOLDERS - item)


def _problem(raw: JsonObject) -> str | None:
    """What is wrong with a rule as it was written, if anything."""
    for field in TEXTS:
        if not isinstance(raw.get(field), str | None):
            return f"{field} must be a text, not {raw[field]!r}"
    unknown = sorted(set(raw) - set(FIELDS))
    holes = _unknown_holes(raw)
    when, each = raw.get("when"), raw.get("each")
    checks = (
        (bool(unknown), f"unknown field {unknown[:1]}; known: {', '.join(FIELDS)}"),
        (not raw.get("id"), "a rule needs an id"),
        (raw.get("op") not in OPERATIONS, f"op must be one of {', '.join(OPERATIONS)}, not {raw.get('op')!r}"),
        (not isinstance(raw.get("path"), str), "a rule needs a path"),
        (raw.get("op") != "remove" and "value" not in raw, "this op needs a value"),
        (raw.get("missing", "skip") not in MISSING, f"missing must be one of {', '.join(MISSING)}"),
        (bool(holes), f"unknown placeholder {holes[:1]}; known: {', '.join(sorted(PLACEHOLDERS))}"),
        (
            when is not None and str(when).removeprefix("not ") not in PLACEHOLDERS,
            f"unknown condition {when}",
        ),
        (each is not None and each not in LISTS, f"each must be one of {', '.join(LISTS)}"),
        (
            not _are_examples(raw.get("examples") or []),
            "examples are a list of maps with before and after, which are maps",
        ),
    )
    return next((problem for wrong, problem in checks if wrong), None)


def _are_examples(examples: Any) -> bool:
    return isinstance(examples, list) and all(
        isinstance(item, dict)
        and {"before", "after"} <= item.keys()
        and all(isinstance(item.get(part, {}), dict) for part in ("before", "after", "values"))
        for item in examples
    )


def _rule(raw: JsonObject, where: str, why: str) -> Rule:
    problem = _problem(raw)
    if problem:
        raise _error(where, problem)
    try:
        jsonpath.check(_HOLE.sub("x", raw["path"]))
    except jsonpath.PathError as error:
        raise _error(where, str(error)) from error
    examples = tuple(
        Example(item["before"], item["after"], item.get("values", {})) for item in raw.get("examples") or ()
    )
    return Rule(
        id=raw["id"],
        op=raw["op"],
        path=raw["path"],
        key=raw.get("key"),
        value=raw.get("value"),
        missing=raw.get("missing", "skip"),
        when=raw.get("when"),
        each=raw.get("each"),
        why=raw.get("why") or why,
        warn=raw.get("warn"),
        where=where,
        examples=examples,
    )


def parse(text: str, source: str) -> list[Rule]:
    """The rules of one file; raises RescueError (usage) with ``source:line`` for anything malformed."""
    document = load_with_lines(text, source)
    if not isinstance(document, Map) or not isinstance(document.get("rules"), Items):
        raise _error(f"{source}:1", "a rule file is a map with a list named rules")
    rules = []
    for line, raw in zip(document["rules"].lines, document["rules"], strict=True):
        where = f"{source}:{line}"
        if not isinstance(raw, Map):
            raise _error(where, "a rule is a map")
        rules.append(_rule(raw, where, str(document.get("why") or "")))
    return rules


def combine(rules: Iterable[Rule], user: Iterable[Rule], skip: Iterable[str]) -> list[Rule]:
    """Built-in rules, those of the user (same id: in its place; new id: at the end), less the skipped.

    Raises RescueError (usage) for an id to skip that no rule has.
    """
    table = {rule.id: rule for rule in rules}
    table.update({rule.id: rule for rule in user})
    for name in skip:
        if name not in table:
            raise RescueError(f"no rule has the id {name!r}", "`rescue rules` lists them", ExitCode.USAGE)
        del table[name]
    return list(table.values())
