"""The clone's rules as they are in force: those of patches/, changed by the user's files."""

from pathlib import Path

from rescue.errors import ExitCode, RescueError
from rescue.resources import data_dir
from rescue.rules import Rule, combine, parse


def load_rules(patches: tuple[Path, ...], skip: tuple[str, ...]) -> list[Rule]:
    """The built-in rules with the user's; raises RescueError (usage) for a malformed file or unknown id."""
    built_in = [rule for path in sorted(data_dir("patches").glob("*.yaml")) for rule in _read_rules(path)]
    return combine(built_in, [rule for path in patches for rule in _read_rules(path)], skip)


def _read_rules(path: Path) -> list[Rule]:
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RescueError(f"{path}: {error}", "give a readable rule file", ExitCode.USAGE) from error
