"""The plan as a diff: each change with its rule, its reason and what stood there before.  Pure."""

import json
from typing import Any

import jsonpatch

from rescue import jsonpath
from rescue.model import Change, JsonObject, Plan


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(change: Change, before: JsonObject) -> list[str]:
    operation = change.operation
    path = operation["path"]
    lines = []
    parent_is_list = isinstance(_parent(path, before), list)
    replaces = not (operation["op"] == "add" and parent_is_list) and jsonpath.exists(path, before)
    if replaces:
        lines.append(f"- {path}: {_short(jsonpath.resolve(path, before))}")
    if operation["op"] != "remove":
        lines.append(f"+ {path}: {_short(operation['value'])}")
    return lines


def _parent(path: str, document: JsonObject) -> Any:
    parent = path.rpartition("/")[0]
    return jsonpath.resolve(parent, document) if jsonpath.exists(parent, document) else None


def render(plan: Plan) -> str:
    """Every change in its order, under the rule that asked for it, ending in a newline."""
    lines = [f"# {plan.original['metadata']['name']} -> {plan.clone['metadata']['name']}"]
    document, rule = plan.original, ""
    for change in plan.changes:
        if change.rule != rule:
            rule = change.rule
            lines += ["", f"# {change.rule} ({change.where}): {change.why}"]
        lines += _lines(change, document)
        document = jsonpatch.apply_patch(document, [change.operation])
    note = f" ({plan.command.note})" if plan.command.note else ""
    lines += ["", f"# the command comes from: {plan.command.source}{note}"]
    return "\n".join(lines) + "\n"
