"""What `rescue plan` and `rescue rules` print, on a terminal and into a pipe."""

import copy
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import jsonpatch
import jsonpath
import pytest
from click.testing import CliRunner

from rescue.cli import main
from rescue.cli.rules import table
from rescue.manifest import load_all
from rescue.rulebook import load_rules

from .recorded import names, recorded


@pytest.fixture
def pod_file(tmp_path: Path) -> Path:
    path = tmp_path / "pod.json"
    path.write_text(json.dumps(recorded("liveness")["last"]), encoding="utf-8")
    return path


def run(*arguments: str) -> str:
    """stdout of a rescue whose output is no terminal."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def on_terminal(*arguments: str, **variables: str) -> str:
    """What a rescue shows on a terminal."""
    reader, writer = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    environment |= {"TERM": "xterm", **variables}
    done = subprocess.Popen(
        [sys.executable, "-m", "rescue", *arguments], stdout=writer, stderr=subprocess.PIPE, env=environment
    )
    os.close(writer)
    text = b""
    while chunk := _read(reader):
        text += chunk
    os.close(reader)
    assert done.communicate()[1] is not None
    assert done.returncode == 0
    return text.decode().replace("\r\n", "\n")


def _read(reader: int) -> bytes:
    """The next bytes; none when nobody writes any more, which a terminal says as an error."""
    try:
        return os.read(reader, 65536)
    except OSError:
        return b""


def test_a_diff_is_coloured_on_a_terminal_and_only_there(pod_file: Path) -> None:
    plan = ("plan", "-f", str(pod_file))
    assert "\x1b[31m- spec.nodeName" in on_terminal(*plan)
    assert "\x1b" not in on_terminal(*plan, NO_COLOR="1")
    assert "\x1b" not in on_terminal(*plan, "--no-color")
    assert "\x1b" not in on_terminal(*plan, TERM="dumb")
    assert "\x1b" not in on_terminal(*plan, "-o", "patch")
    assert "\x1b" not in run(*plan)


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_reader_that_has_gone_ends_it_quietly(output: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    rescue = [sys.executable, "-m", "rescue", "rules", "-o", output]
    done = subprocess.run(rescue, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize("name", names())
def test_any_json_patch_tool_makes_the_clone_of_the_patch(name: str, tmp_path: Path) -> None:
    pod = recorded(name)["last"]
    original, patch = tmp_path / "pod.json", tmp_path / "patch.json"
    original.write_text(json.dumps(pod), encoding="utf-8")
    patch.write_text(run("plan", "-f", str(original), "-o", "patch", "--", "/srv/app"), encoding="utf-8")
    tool = Path(sys.executable).with_name("jsonpatch")
    done = subprocess.run([tool, original, patch], capture_output=True, text=True, check=True)
    clone = json.loads(done.stdout)
    assert jsonpath.JSONPatch(json.loads(patch.read_text(encoding="utf-8"))).apply(copy.deepcopy(pod)) == clone
    assert clone["spec"]["containers"][-1]["name"] == "rescue-keeper"
    for operation in json.loads(patch.read_text(encoding="utf-8")):
        assert operation.keys() <= {"op", "path", "value"}


def test_patch_and_yaml_are_of_the_same_clone_in_the_same_order(
    pod_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rescue.planning._suffix", lambda: "x2b4c")
    arguments = ("plan", "-f", str(pod_file), "-o")
    (clone,) = load_all(run(*arguments, "yaml"), "clone.yaml")
    pod = json.loads(pod_file.read_text(encoding="utf-8"))
    patched = jsonpatch.apply_patch(pod, json.loads(run(*arguments, "patch")))
    for volatile in (clone, patched):
        del volatile["metadata"]["annotations"]["rescue.dev/expires"]
    assert json.dumps(clone) == json.dumps(patched)


def test_rules_are_one_a_line_for_other_programs() -> None:
    lines = run("rules").splitlines()
    assert len(lines) == len(load_rules((), ()))
    assert any(line.startswith("no-probes ") and line.endswith("before the crash is seen.") for line in lines)


def test_rules_are_json_for_other_programs(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("why: Mine.\nrules:\n  - {id: mine, op: remove, path: $.x}\n", encoding="utf-8")
    document = json.loads(run("rules", "-o", "json", "--patch", str(mine)))
    assert document["schemaVersion"] == "rescue.dev/v1"
    assert document["rules"][-1] == {
        "id": "mine",
        "op": "remove",
        "path": "$.x",
        "why": "Mine.",
        "where": "mine.yaml:3",
    }
    assert [rule["id"] for rule in document["rules"][:-1]] == [rule.id for rule in load_rules((), ())]


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_rules_fit_the_terminal(width: int) -> None:
    text = table(load_rules((), ()), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "before the crash is seen." in " ".join(text.split())


def test_rules_are_wrapped_on_a_terminal() -> None:
    assert on_terminal("rules", COLUMNS="70") == table(load_rules((), ()), 70)
