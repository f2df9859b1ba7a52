"""One pod is named in exactly one way, and what follows ``--`` belongs to its container alone."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from rescue.cli import main
from rescue.cli.source import SourceCommand, source_options


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def parsed(*arguments: str) -> dict[str, Any]:
    """What a command with the source options gets."""
    got: dict[str, Any] = {}

    @click.command(cls=SourceCommand)
    @source_options
    @click.option("-n", "--namespace")
    def command(**values: Any) -> None:
        got.update(values)

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return got


NOTHING = {"pod": "", "selector": None, "filename": None, "command": (), "namespace": None}


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["shop"], {"pod": "shop"}),
        (["deploy/shop", "-n", "a"], {"pod": "deploy/shop", "namespace": "a"}),
        (["shop", "--", "/bin/app", "-n", "x"], {"pod": "shop", "command": ("/bin/app", "-n", "x")}),
        (["-l", "app=x", "--", "app"], {"selector": "app=x", "command": ("app",)}),
        (["-f", "-", "--", "app", "--", "-f"], {"filename": Path("-"), "command": ("app", "--", "-f")}),
        (["-n", "a", "shop", "--", "--help"], {"pod": "shop", "namespace": "a", "command": ("--help",)}),
    ],
)
def test_what_follows_the_dashes_is_the_command(arguments: list[str], values: dict[str, Any]) -> None:
    assert parsed(*arguments) == NOTHING | values


@pytest.mark.parametrize("command", ["pod", "plan"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a POD"),
        ([""], "name a POD"),
        (["--", "app"], "name a POD"),
        (["-l", ""], "name a POD"),
        (["shop", "-l", "app=shop"], "exclude each other"),
        (["shop", "-f", "pod.yaml"], "exclude each other"),
        (["-l", "app=shop", "-f", "pod.yaml"], "exclude each other"),
        (["shop", "ls"], "a command comes after --"),
        (["deploy", "shop"], "kind and name are one word: deploy/shop"),
        (["shop", "--"], "no command follows --"),
        (["shop", "--", ""], "no command follows --"),
        (["shop", "--", "sh", "-c", "echo \udcff"], "is not UTF-8, and Kubernetes takes only text"),
        (["shop", "--env", "A=\udcff"], "is not UTF-8"),
    ],
)
def test_anything_but_one_source_is_usage(command: str, arguments: list[str], words: str) -> None:
    result = run(command, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def planned(document: Any, *arguments: str) -> Any:
    """The clone that is planned for a manifest on stdin."""
    result = run("plan", "-f", "-", "-o", "yaml", *arguments, stdin=json.dumps(document))
    assert result.exit_code == 0, result.stderr
    return result.stdout


CONTAINER = {"name": "web", "image": "shop:1", "command": ["/srv/shop"]}
TEMPLATE = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [CONTAINER]}}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop"},
    "spec": {"template": TEMPLATE},
}


def test_a_workload_on_stdin_is_planned_from_its_template() -> None:
    clone = planned(DEPLOYMENT, "-n", "staging")
    assert "name: rescue-shop-" in clone
    assert "namespace: staging" in clone
    assert "rescue.dev/source-pod: shop" in clone


def test_the_command_of_a_file_can_be_given() -> None:
    assert "/other" in planned(DEPLOYMENT, "--", "/other")


def test_what_cannot_be_read_is_usage(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "nope.yaml", tmp_path / "binary"):
        result = run("plan", "-f", str(path))
        assert result.exit_code == 2
        assert str(path) in result.stderr
