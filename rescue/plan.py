"""From a pod's manifest and the rules to the clone's manifest, as an RFC 6902 patch with a reason for each change.

Pure: the random suffix and the time are arguments.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jsonpatch

from rescue import jsonpath
from rescue.adoption import refuse_adopted
from rescue.concerns import concerns
from rescue.errors import ExitCode, RescueError
from rescue.marks import why_not_ours
from rescue.model import Change, Command, JsonObject, Plan, Target, copied
from rescue.placeholders import Choices, values
from rescue.rules import Rule, fill, fill_path
from rescue.shape import faults


def _pointers(rule: Rule, document: JsonObject, values: JsonObject) -> list[str]:
    found = jsonpath.pointers(fill_path(rule.path, values), document)
    if not rule.path.startswith("$") and not jsonpath.exists(found[0], document) and rule.op != "add":
        found = []
    if not found and rule.missing == "fail":
        raise RescueError(
            f"rule {rule.id} ({rule.where}): nothing at {fill_path(rule.path, values)}",
            f"this pod has not the shape the rule needs; leave it out with --skip-rule {rule.id}",
            ExitCode.REFUSED,
        )
    return found


# What tells the items of a list apart, where it is not their name (x-kubernetes-list-map-keys of the API).
_KEYS = {"volumeMounts": "mountPath", "volumeDevices": "devicePath"}


def _holds(item: Any, value: Any) -> bool:
    """Whether an item has all that ``value`` has; a server may have added defaults to it."""
    if isinstance(value, dict) and isinstance(item, dict):
        return all(key in item and _holds(item[key], part) for key, part in value.items())
    return bool(item == value)


def _is_there(rule: Rule, place: str, items: list[Any], value: Any) -> bool:
    """Whether a list has this item already; raises RescueError (refused) when another one stands in its place."""
    key = _KEYS.get(place.rpartition("/")[2], "name")
    if not (isinstance(value, dict) and key in value):
        return value in items
    same = [item for item in items if isinstance(item, dict) and item.get(key) == value[key]]
    if same and not any(_holds(item, value) for item in same):
        raise RescueError(
            f"rule {rule.id} ({rule.where}) cannot be applied: {place} has another {value[key]!r}",
            f"give yours another {key}, or change the rule with --patch: {rule.why}",
            ExitCode.REFUSED,
        )
    return bool(same)


def _missing_parents(pointer: str, document: JsonObject) -> list[JsonObject]:
    """``add`` operations for the containers that ``pointer`` needs above itself."""
    tokens = pointer.split("/")
    parents = ("/".join(tokens[:size]) for size in range(2, len(tokens)))
    absent = [parent for parent in parents if not jsonpath.exists(parent, document)]
    made: list[JsonObject] = []
    for parent in absent:
        child = tokens[parent.count("/") + 1]
        made.append({"op": "add", "path": parent, "value": [] if child in ("-", "0") else {}})
    return made


def _write(rule: Rule, pointer: str, value: Any, document: JsonObject) -> list[JsonObject]:
    """The operations of an ``add`` or ``replace`` at one place; none when it is so already."""
    parent, _, last = pointer.rpartition("/")
    existing = jsonpath.resolve(parent, document) if jsonpath.exists(parent, document) else None
    if isinstance(existing, list) and rule.op == "add":
        if _is_there(rule, parent, existing, value):
            return []
    elif jsonpath.exists(pointer, document) and jsonpath.resolve(pointer, document) == value:
        return []
    parents = [] if existing is not None or rule.missing != "create" else _missing_parents(pointer, document)
    return [*parents, {"op": rule.op, "path": f"{parent}/{last}", "value": copied(value)}]


def _operations(rule: Rule, document: JsonObject, values: JsonObject) -> list[JsonObject]:
    """What one rule means on one manifest."""
    found = _pointers(rule, document, values)
    if rule.op == "remove":
        # From the end: removing an item moves those behind it.
        return [{"op": "remove", "path": pointer} for pointer in reversed(found)]
    suffix = "" if rule.key is None else f"/{fill(rule.key, values)}"
    value = fill(rule.value, values)
    return [operation for pointer in found for operation in _write(rule, pointer + suffix, value, document)]


def _scopes(rule: Rule, known: JsonObject) -> Iterator[JsonObject]:
    """The placeholder values that a rule is compiled with: none, one, or one for each item of its ``each``."""
    if rule.when is not None:
        wanted = not rule.when.startswith("not ")
        if bool(known[rule.when.removeprefix("not ")]) is not wanted:
            return
    if rule.each is None:
        yield known
        return
    for item in known[rule.each]:
        yield {**known, **{f"each.{name}": value for name, value in item.items()}}


def _apply(rule: Rule, document: JsonObject, scope: JsonObject) -> list[Change]:
    """Change ``document`` in place by one rule in one scope; the changes."""
    operations = _operations(rule, document, scope)
    try:
        # The document would share what an operation adds, and later rules would change it in both.
        jsonpatch.JsonPatch(copied(operations)).apply(document, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise RescueError(
            f"rule {rule.id} ({rule.where}) cannot be applied: {error}",
            f"correct the rule, or leave it out with --skip-rule {rule.id}",
            ExitCode.REFUSED,
        ) from error
    return [Change(rule.id, rule.why, rule.where, operation) for operation in operations]


def apply_rules(
    rules: Iterable[Rule], pod: JsonObject, known: JsonObject
) -> tuple[JsonObject, list[Change], list[str]]:
    """The manifest after the rules, every change, and the warnings of the rules that changed something.

    The given manifest is not touched.
    """
    document = copied(pod)
    changes: list[Change] = []
    warnings: list[str] = []
    for rule in rules:
        for scope in _scopes(rule, known):
            made = _apply(rule, document, scope)
            changes.extend(made)
            if made and rule.warn:
                warnings.append(str(fill(rule.warn, scope)))
    return document, changes, list(dict.fromkeys(warnings))


def _refuse_leftovers(rules: Iterable[Rule], clone: JsonObject, known: JsonObject) -> None:
    """What one rule removed no later rule may bring back: checked here, as RFC 6902 ``test`` cannot say it."""
    for rule in rules:
        for scope in _scopes(rule, known) if rule.op == "remove" else ():
            if _pointers(rule, clone, scope):
                path = fill_path(rule.path, scope)
                raise RescueError(
                    f"the clone would still have {path}, which rule {rule.id} forbids: {rule.why}",
                    f"take it out of your patch, or allow it with --skip-rule {rule.id}",
                    ExitCode.REFUSED,
                )


def _refuse_misshapen(clone: JsonObject) -> None:
    """What follows reads the clone as a pod, and so does a server."""
    if problem := next(faults(clone), ""):
        raise RescueError(
            f"the rules make a pod that no server would take: {problem}",
            "see what they change with `rescue plan`, one --patch or --skip-rule less",
            ExitCode.REFUSED,
        )


def _refuse_unmarked(clone: JsonObject) -> None:
    """A clone that `rescue clean` would not know as ours could stay behind for ever."""
    problem = why_not_ours(clone)
    if problem:
        raise RescueError(
            f"the clone could not be told from other pods, because {problem}",
            "keep the rules that mark it: `rescue clean` finds a clone by them",
            ExitCode.REFUSED,
        )


def compile_plan(
    pod: JsonObject,
    target: Target,
    rules: Sequence[Rule],
    choices: Choices,
    command: Command,
    warnings: Sequence[str] = (),
) -> Plan:
    """Compile the rules on one pod.

    Raises RescueError: usage for a wish that does not fit the pod; refused when a rule does not fit, or the finished
    manifest still has something that a rule forbids, or a controller would adopt it.
    """
    known = values(pod, target, command, choices)
    clone, changes, said = apply_rules(rules, pod, known)
    _refuse_leftovers(rules, clone, known)
    _refuse_misshapen(clone)
    _refuse_unmarked(clone)
    refuse_adopted(clone, choices.selectors)
    return Plan(pod, clone, tuple(changes), command, (*warnings, *said, *concerns(pod, clone)))
