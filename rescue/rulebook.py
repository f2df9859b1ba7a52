"""The clone's rules as they are in force: those of patches/, changed by the user's files."""

from pathlib import Path

from rescue.errors import ExitCode, RescueError
from rescue.resources import data_dir
from rescue.rules import Rule, combine, parse

# Without one of these nothing is replayed: the clone would wait in vain, or run the program unseen.
_NEEDED = ("toolkit-volume", "toolkit-copy", "toolkit-mount", "keeper", "hold-command", "hold-arguments")


def load_rules(patches: tuple[Path, ...], skip: tuple[str, ...]) -> list[Rule]:
    """The built-in rules with the user's, less the skipped.

    Raises RescueError: usage for a malformed file or unknown id; refused to skip one that every replay needs.
    """
    built_in = [rule for path in sorted(data_dir("patches").glob("*.yaml")) for rule in _read_rules(path)]
    _refuse_to_skip(built_in, set(skip).intersection(_NEEDED))
    return combine(built_in, [rule for path in patches for rule in _read_rules(path)], skip)


def _refuse_to_skip(rules: list[Rule], names: set[str]) -> None:
    for rule in rules:
        if rule.id in names:
            raise RescueError(
                f"no replay is possible without rule {rule.id}: {rule.why}",
                f"to change it, give your own {rule.id} with --patch",
                ExitCode.REFUSED,
            )


def _read_rules(path: Path) -> list[Rule]:
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RescueError(f"{path}: {error}", "give a readable rule file", ExitCode.USAGE) from error
