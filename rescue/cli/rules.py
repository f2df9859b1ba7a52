"""rescue rules: what is changed in a clone, and why."""

import json
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

import click

from rescue.console import is_terminal
from rescue.model import SCHEMA_VERSION
from rescue.rulebook import load_rules
from rescue.rules import Rule

_NARROWEST = 30  # columns for the reasons; below it they go under the ids


@click.command()
@click.option("--patch", "patches", multiple=True, type=click.Path(path_type=Path, dir_okay=False), help="More rules.")
@click.option("-o", "--output", type=click.Choice(["json", "text"]), default="text", show_default=True)
def rules(patches: tuple[Path, ...], output: str) -> None:
    """List what is changed in a clone, and why.

    \b
    Examples:
      rescue rules
      rescue rules --patch mine.yaml -o json | jq -r '.rules[] | select(.op == "remove") | .path'
    """
    found = load_rules(patches, ())
    width = shutil.get_terminal_size().columns if is_terminal() else None
    click.echo(_json(found) if output == "json" else table(found, width), nl=False)


def _json(found: Sequence[Rule]) -> str:
    fields = ("id", "op", "path", "why", "where")
    listed = [{field: getattr(rule, field) for field in fields} for rule in found]
    return json.dumps({"schemaVersion": SCHEMA_VERSION, "rules": listed}, indent=2, ensure_ascii=False) + "\n"


def table(found: Sequence[Rule], width: int | None) -> str:
    """Id, operation and reason of each rule: a line each, or wrapped to ``width`` columns."""
    longest = max((len(rule.id) for rule in found), default=0)
    lines = [line for rule in found for line in _row(rule, longest, width)]
    return "".join(f"{line}\n" for line in lines)


def _row(rule: Rule, longest: int, width: int | None) -> list[str]:
    head = f"{rule.id:<{longest}}  {rule.op:<7}  "
    if width is None:
        return [head + rule.why]
    if width - len(head) >= _NARROWEST:
        return textwrap.wrap(rule.why, width, initial_indent=head, subsequent_indent=" " * len(head))
    return [f"{rule.id} ({rule.op})", *textwrap.wrap(rule.why, width, initial_indent="  ", subsequent_indent="  ")]
