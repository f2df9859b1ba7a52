"""The README says what the program does: its generated parts are up to date, its commands exist."""

import re

import pytest
from click.testing import CliRunner

from rescue.cli import COMMANDS, main
from rescue.diagnosis.diagnose import rules
from rescue.errors import ExitCode
from rescue.options import DEFAULT_TOOLKIT_IMAGE
from tests.readme import BLOCKS, README, ROOT, updated

TEXT = README.read_text(encoding="utf-8")


def test_the_generated_parts_are_up_to_date() -> None:
    assert set(re.findall(r"<!-- (\w+) -->", TEXT)) == {*BLOCKS, "end"}
    assert updated(TEXT) == TEXT, "run: make docs"


def test_the_toolkit_image_is_the_default() -> None:
    assert DEFAULT_TOOLKIT_IMAGE in TEXT


@pytest.mark.parametrize("target", ["make demo", "make test"])
def test_the_two_commands_exist(target: str) -> None:
    assert target in TEXT
    assert f"\n{target.split()[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage: main" in result.output
    assert f"rescue {name}" in result.output or name in ("demo", "rules", "sandbox")


@pytest.mark.parametrize("word", re.findall(r"(?<=`rescue )[a-z]+", TEXT))
def test_a_command_that_is_named_exists(word: str) -> None:
    assert word in COMMANDS


SAID = TEXT + "".join(f"{cause.message} {cause.advice}" for cause in rules())


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)", SAID))))
def test_an_option_that_is_named_exists(option: str) -> None:
    helps = [CliRunner().invoke(main, [name, "--help"]).output for name in COMMANDS]
    assert any(option in text for text in helps)


def test_every_exit_code_is_in_the_help() -> None:
    text = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in text
