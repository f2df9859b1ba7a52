"""All scripts keep the same rules: shellcheck, short functions with named arguments."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

AGENT = Path(__file__).parents[2] / "hunter_agent"
PROGRAMS = ["hunter", "keeper", "scout"]
SCRIPTS = [*(AGENT / name for name in PROGRAMS), *sorted((AGENT / "lib").glob("*.sh"))]
LONGEST = 15


def by_name(path: Path) -> str:
    return path.name


def functions_of(path: Path) -> dict[str, list[str]]:
    """The lines between the braces, by the line that opens them."""
    found = re.findall(r"^(\w+\(\) \{.*)\n((?:.*\n)*?)\}$", path.read_text(), re.MULTILINE)
    return {opening: body.splitlines() for opening, body in found}


@pytest.mark.parametrize("script", PROGRAMS)
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([shellcheck, "-a", AGENT / script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", SCRIPTS, ids=by_name)
def test_functions_are_short_and_name_their_arguments(path: Path) -> None:
    functions = functions_of(path)
    assert functions
    assert {opening: len(body) for opening, body in functions.items() if len(body) > LONGEST} == {}
    assert [opening for opening in functions if not re.search(r"\{ # \S", opening)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=by_name)
def test_every_shell_can_parse_it(path: Path) -> None:
    done = subprocess.run(["dash", "-n", path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_library_is_used() -> None:
    used = {name for path in SCRIPTS[:3] for name in re.findall(r'^\. "\$root/lib/(.+)"', path.read_text(), re.M)}
    assert used == {path.name for path in SCRIPTS[3:]}
