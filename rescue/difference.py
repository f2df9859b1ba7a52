"""The plan as a diff for people: each change with its reason, its rule and what stood there before.  Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import jsonpatch

from rescue import jsonpath
from rescue.dump import dump
from rescue.model import Change, JsonObject, Plan, copied

_LONGEST = 100  # characters of a value on the line of its path; a longer one is written below it, as YAML
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # What a pod's author wrote must not steer the reader's terminal.
# By the first characters of a line: faint, cyan, red, green.
_STYLES = (("#   ", "2"), ("#", "36"), ("-", "31"), ("+", "32"))
_BOLD = "1"


def render(plan: Plan) -> str:
    """Every change below its reason, in the order of the first change for it; it ends in a newline."""
    note = f" ({plan.command.note})" if plan.command.note else ""
    lines = [f"# {plan.original['metadata']['name']} -> {plan.clone['metadata']['name']}"]
    for why, changes in _by_reason(plan).items():
        rules = dict.fromkeys(f"{change.rule} ({change.where})" for change, _ in changes)
        lines += ["", f"# {why}", f"#   {', '.join(rules)}", *(line for _, found in changes for line in found)]
    lines += ["", f"# the command comes from: {plan.command.source}{note}"]
    return "".join(f"{_CONTROL.sub(_escaped, line)}\n" for line in lines)


def coloured(text: str) -> str:
    """The same for a terminal: red lines go, green ones come, reasons are cyan."""
    title, *lines = text.split("\n")
    return "\n".join([f"\x1b[{_BOLD}m{title}\x1b[0m", *map(_styled, lines)])


def _styled(line: str) -> str:
    style = next((style for start, style in _STYLES if line.startswith(start)), None)
    return line if style is None else f"\x1b[{style}m{line}\x1b[0m"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _by_reason(plan: Plan) -> dict[str, list[tuple[Change, list[str]]]]:
    found: dict[str, list[tuple[Change, list[str]]]] = {}
    document = copied(plan.original)
    for change in plan.changes:
        found.setdefault(change.why, []).append((change, [*_lines(change.operation, document)]))
        jsonpatch.apply_patch(document, [copied(change.operation)], in_place=True)
    return found


def _lines(operation: JsonObject, before: JsonObject) -> Iterator[str]:
    path = operation["path"]
    parent = path.rpartition("/")[0]
    into_list = jsonpath.exists(parent, before) and isinstance(jsonpath.resolve(parent, before), list)
    inserts = operation["op"] == "add" and into_list
    if jsonpath.exists(path, before) and not inserts:
        yield from _value("-", _readable(path, before), jsonpath.resolve(path, before))
    if operation["op"] != "remove":
        where = parent if inserts else path
        name = f"[{_name(operation['value'], '+')}]" if inserts else ""
        yield from _value("+", _readable(where, before) + name, operation["value"])


def _value(sign: str, path: str, value: Any) -> Iterable[str]:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _LONGEST:
        return [f"{sign} {path}: {text}"]
    return [f"{sign} {path}:", *(f"{sign}   {line}" for line in dump(value).removesuffix("...\n").splitlines())]


def _readable(pointer: str, document: JsonObject) -> str:
    """``/spec/containers/0/image`` as ``spec.containers[web].image``."""
    text = ""
    node: Any = document
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        below = jsonpath.resolve(f"/{token}", node) if jsonpath.exists(f"/{token}", node) else None
        if isinstance(node, list):
            text += f"[{_name(below, key)}]"
        else:
            text += f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{key!r}]"
        node = below
    return text.removeprefix(".")


def _name(item: Any, otherwise: str) -> str:
    """What an item of a list is known by."""
    found = item if isinstance(item, dict) else {}
    return str(found.get("mountPath") or found.get("name") or otherwise)
