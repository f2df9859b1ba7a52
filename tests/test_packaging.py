"""The wheel carries the package and its data; so does the editable install that runs these tests."""

import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DATA = {"patches": "rescue/_data/patches", "hunter_agent": "rescue/_data/hunter_agent"}
COMMANDS = {"rescue": "rescue.cli:main", "kubectl-rescue": "rescue.cli:main"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as `pip install` makes it, without an index: the build back end is among the dev extras."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def files_below(folder: Path) -> set[str]:
    """Every file of a folder that belongs to the source, by its path in it."""
    kept = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)) for path in kept}


@pytest.mark.parametrize("folder", DATA)
def test_the_wheel_carries_the_data_folder(wheel: zipfile.ZipFile, folder: str) -> None:
    wanted = {f"{DATA[folder]}/{name}" for name in files_below(ROOT / folder)}
    assert wanted, f"{folder} is empty"
    assert wanted <= set(wheel.namelist())


def test_the_wheel_carries_every_module_and_rule_of_the_package(wheel: zipfile.ZipFile) -> None:
    wanted = {f"rescue/{name}" for name in files_below(ROOT / "rescue")}
    assert any(name.startswith("rescue/diagnosis/") and name.endswith(".yaml") for name in wanted)
    assert wanted <= set(wheel.namelist())


def test_the_wheel_carries_no_tests(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if name.startswith("tests/")] == []


def test_the_wheel_names_its_commands(wheel: zipfile.ZipFile) -> None:
    (path,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    parser = ConfigParser()
    parser.read_string(wheel.read(path).decode())
    assert dict(parser["console_scripts"]) == COMMANDS


def test_the_installed_commands_can_be_loaded() -> None:
    installed = {entry.name: entry for entry in entry_points(group="console_scripts") if entry.name in COMMANDS}
    assert installed.keys() == COMMANDS.keys()
    assert all(callable(entry.load()) for entry in installed.values())
