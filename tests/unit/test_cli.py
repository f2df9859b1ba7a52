"""The command line's boundary: every ending has its code, errors have two lines, bugs have no traceback."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from rescue.cli import COMMANDS, main
from rescue.errors import ExitCode, RescueError
from tests.readme import RECORDED

from .recorded import FOLDER, recorded


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setitem(COMMANDS, "broken", ("broken", ""))
    monkeypatch.setitem(sys.modules, "broken", type("module", (), {"broken": broken}))


def test_an_error_is_two_lines_and_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, RescueError("the cluster is gone", "type this", ExitCode.CLUSTER))
    result = run("broken")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == "error: the cluster is gone\nhint: type this\n"


def test_a_bug_shows_its_traceback_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError("oops"))
    assert run("broken").exit_code == 1
    assert "Traceback" not in run("broken").stderr
    assert "rescue --debug" in run("broken").stderr
    assert "Traceback" in run("--debug", "broken").stderr


def test_ctrl_c_has_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    assert run("broken").exit_code == 130


@pytest.mark.parametrize("arguments", [["nope"], ["pod"], ["pod", "x", "--nope"], ["plan"], ["diagnose", "a", "b"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, rescue.cli; print(*sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"kubernetes", "ruamel", "jsonpatch", "jsonpath", "aiohttp", "urllib3"} & set(done.stdout.split())


def pod_file(folder: Path, name: str) -> str:
    path = folder / "pod.json"
    path.write_text(json.dumps(recorded(name)["last"]), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("output", ["diff", "patch", "yaml"])
def test_a_plan_needs_no_cluster(output: str, tmp_path: Path) -> None:
    result = run("plan", "-f", pod_file(tmp_path, "liveness"), "-o", output)
    assert result.exit_code == 0, result.output
    assert "rescue-liveness-" in result.stdout
    assert "all labels are dropped" in result.stderr


def test_a_plans_command_can_be_given(tmp_path: Path) -> None:
    path = pod_file(tmp_path, "shop-fc47bf8bc-lnzmb")
    refused = run("plan", "-f", path)
    assert refused.exit_code == 3
    assert "sets no command" in refused.stderr
    planned = run("plan", "-f", path, "-o", "patch", "--", "/crash", "--flag")
    values = {operation["path"]: operation.get("value") for operation in json.loads(planned.stdout)}
    assert values["/spec/containers/0/args"] == ["/crash", "--flag"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "kind: Deployment",
        "kind: Pod",
        "a: [",
        "\x00",
        "{kind: Pod, spec: {containers: x}}",
        "{kind: Pod, spec: {containers: [{name: a}]}}",
        "{kind: Pod, metadata: x, spec: {containers: [{name: a, image: b}]}}",
        "{kind: List, items: [1]}",
    ],
)
def test_a_file_that_is_no_pod_is_usage(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    result = run("plan", "-f", str(tmp_path / "x.yaml"))
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")


def test_a_list_with_one_pod_is_that_pod(tmp_path: Path) -> None:
    path = Path(pod_file(tmp_path, "liveness"))
    pod = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({"kind": "List", "items": [{"kind": "ConfigMap"}, pod]}), encoding="utf-8")
    assert "rescue-liveness-" in run("plan", "-f", str(path)).stdout
    path.write_text(json.dumps({"kind": "List", "items": [pod, pod]}), encoding="utf-8")
    assert run("plan", "-f", str(path)).exit_code == 2


def copied(folder: Path) -> Path:
    case = folder / "case"
    for path in RECORDED.rglob("*"):
        if path.is_file():
            target = case / path.relative_to(RECORDED)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return case


def test_a_case_is_judged_and_shown_without_a_cluster(tmp_path: Path) -> None:
    case = copied(tmp_path)
    judged = run("diagnose", str(case))
    assert judged.exit_code == 0
    assert "RSC102" in judged.stdout
    document: Any = json.loads(run("report", str(case), "-o", "json").stdout)
    assert {"schemaVersion", "target", "verdict", "findings", "replay", "clone", "case", "exitCode"} <= set(document)
    assert document["verdict"] == document["findings"][0]
    assert set(document["verdict"]) == {"code", "title", "confidence", "message", "advice", "evidence"}
    assert set(document["verdict"]["evidence"][0]) == {"source", "text"}
    assert {"command", "exitCode", "signal", "seconds", "memory"} <= set(document["replay"])


@pytest.mark.parametrize("command", ["diagnose", "report"])
def test_what_is_no_case_is_usage(command: str, tmp_path: Path) -> None:
    assert run(command, str(tmp_path)).exit_code == 2
    assert run(command, str(tmp_path / "nope")).exit_code == 2
    assert run(command, str(FOLDER / "oom.json")).exit_code == 2
    (tmp_path / "case.json").write_text('{"schemaVersion": "rescue.dev/v9"}', encoding="utf-8")
    assert "rescue.dev/v9" in run(command, str(tmp_path)).stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pod.json", "{"),
        ("pod.json", '"text"'),
        ("events.json", "{}"),
        ("objects.json", "[]"),
        ("target.json", "{}"),
        ("target.json", "[]"),
        ("case.json", "[]"),
        ("case.json", '{"schemaVersion": "rescue.dev/v1"}'),
    ],
)
@pytest.mark.parametrize("command", ["diagnose", "report"])
def test_a_case_with_a_damaged_file_names_it(tmp_path: Path, command: str, name: str, content: str) -> None:
    case = copied(tmp_path)
    (case / name).write_text(content, encoding="utf-8")
    result = run(command, str(case))
    assert result.exit_code == 2, result.stderr
    assert name in result.stderr


def test_a_report_writes_nothing(tmp_path: Path) -> None:
    case = copied(tmp_path)
    (case / "diagnosis.json").unlink()
    assert run("report", str(case)).exit_code == 0
    assert not (case / "diagnosis.json").exists()
    assert run("diagnose", str(case)).exit_code == 0
    assert (case / "diagnosis.json").exists()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "broken", ("rescue_has_no_such_module", ""))
    result = run("broken")
    assert result.exit_code == 2
    assert "pip install 'rescue[sandbox]'" in result.stderr


@pytest.mark.parametrize("ttl", ["59", "99999999999999"])
def test_a_ttl_that_no_server_takes_is_wrong_usage(ttl: str) -> None:
    result = run("plan", "shop", "--ttl", ttl)
    assert (result.exit_code, "is not in the range" in result.output) == (2, True)
