"""The case folder: for its owner alone, and never in the way of what was there before."""

import os
from pathlib import Path

import pytest

from rescue.case import Case
from rescue.errors import ExitCode, RescueError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_private_and_its_parents_are_not_touched(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    case = Case.create(tmp_path / "cases" / "one")
    assert (mode(case.path), mode(tmp_path)) == (0o700, 0o755)


@pytest.mark.parametrize("before", [0o755, 0o777, 0o700, 0o2775])
def test_an_empty_folder_is_made_private(tmp_path: Path, before: int) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    folder.chmod(before)
    Case.create(folder)
    assert mode(folder) == 0o700


def test_a_folder_that_cannot_be_made_private_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    folder.chmod(0o755)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(RescueError, match="cannot be closed to others") as refused:
        Case.create(folder)
    assert refused.value.code is ExitCode.USAGE
    assert list(folder.iterdir()) == []


def test_a_folder_with_anything_in_it_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(RescueError, match="is not empty") as refused:
        Case.create(folder)
    assert refused.value.code is ExitCode.USAGE
    assert ([path.name for path in folder.iterdir()], mode(folder)) == (["thesis.txt"], 0o755)


def test_a_case_that_came_to_nothing_is_discarded_and_can_be_named_again(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    Case.create(folder).discard()
    assert not folder.exists()
    Case.create(folder)


def test_a_case_with_content_is_not_discarded(tmp_path: Path) -> None:
    case = Case.create(tmp_path / "case")
    case.write("case.json", "{}")
    case.discard()
    assert (case.path / "case.json").exists()
