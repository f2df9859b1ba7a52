"""The generated parts of the README: between ``<!-- NAME -->`` and ``<!-- end -->``.

``python -m tests.readme`` rewrites them (`make docs`); a test fails when they are out of date.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from rescue.case import open_case
from rescue.cli import COMMANDS, INTERRUPTED
from rescue.diagnosis.diagnose import rules as causes
from rescue.errors import ExitCode
from rescue.judge import judge
from rescue.report.text import render
from rescue.rulebook import load_rules

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RECORDED = Path(__file__).parent / "data" / "demo-case"
_BLOCK = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def _table(head: tuple[str, str], rows: Iterable[tuple[object, str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows)]
    return "\n".join(lines) + "\n"


def session() -> str:
    """What `rescue pod` said about the recorded case of `rescue demo`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(RECORDED, Path(folder) / "case"))
        report = judge(open_case(copy))
    shown = replace(report, case=f"rescue-cases/default-{report.target.pod}-20261121-084500")
    return f"```console\n$ rescue pod {report.target.pod}\n{render(shown)}```\n"


def commands() -> str:
    """Every command with its purpose."""
    return _table(("command", "what it does"), ((f"`rescue {name}`", text) for name, (_, text) in COMMANDS.items()))


def exit_codes() -> str:
    """Every exit code with its meaning."""
    rows: list[tuple[object, str]] = [(code.value, code.meaning) for code in ExitCode]
    return _table(("code", "meaning"), [*rows, (INTERRUPTED, "interrupted (Ctrl-C)")])


def clone_rules() -> str:
    """Every rule of the clone with its reason."""
    return _table(("rule", "why"), ((f"`{rule.id}`", rule.why) for rule in load_rules((), ())))


def codes() -> str:
    """Every finding code with its title."""
    titles: dict[str, dict[str, None]] = {}
    for cause in causes():
        titles.setdefault(cause.code, {})[cause.title] = None
    return _table(("code", "cause"), ((code, "; ".join(titles[code])) for code in sorted(titles)))


BLOCKS: dict[str, Callable[[], str]] = {
    "session": session,
    "commands": commands,
    "exit_codes": exit_codes,
    "rules": clone_rules,
    "codes": codes,
}


def updated(text: str) -> str:
    """The README with every generated part made anew; KeyError for an unknown one."""
    return _BLOCK.sub(lambda block: f"<!-- {block[1]} -->\n{BLOCKS[block[1]]()}<!-- end -->", text)


if __name__ == "__main__":
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
