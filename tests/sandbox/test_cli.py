"""``rescue sandbox``: what it says without a sandbox, and that nothing outlives it."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rescue.cli import main
from rescue.sandbox import kubeconfig, manage, pki, place
from rescue.sandbox.archive import Image, busybox, write_archive
from tests.sandbox.courses import Recorder

NAME = f"cli-{os.getpid()}"
IMAGE = f"localhost/rescue-cli-test:{os.getpid()}"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State folders of these tests alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def rescue(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sandbox", *arguments])


@pytest.mark.parametrize("command", ["status", "kubeconfig"])
def test_without_a_sandbox_the_next_step_is_named(command: str) -> None:
    result = rescue(command, "--name", "none")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == "error: sandbox none is not running\nhint: rescue sandbox up --name none\n"


@pytest.mark.parametrize("name", ["", "B", "a_b", "../x", "a" * 33])
def test_names_that_cannot_be(name: str) -> None:
    assert rescue("status", "--name", name).exit_code == 2


def test_without_podman_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = rescue("up")
    assert result.exit_code == 4
    assert result.stderr.endswith("needs podman and runc\nhint: apt-get install podman runc\n")
    assert list(tmp_path.iterdir()) == []


def test_a_pid_that_another_program_has_does_not_count(tmp_path: Path) -> None:
    where = place.Place("x", tmp_path)
    where.pid.write_text(f"{os.getpid()}\n")
    assert manage.running_pid(where) is None
    assert not manage.answers(where)


def test_the_kubeconfig_is_private_and_complete(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    authority = pki.make().authority
    for _ in range(2):  # also over an older one
        kubeconfig.write(path, kubeconfig.build("x", "https://127.0.0.1:1", authority, "secret"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert kubeconfig.server_of(path) == ("https://127.0.0.1:1", authority)
    assert [entry.name for entry in tmp_path.iterdir()] == ["kubeconfig"]


@pytest.mark.containers
def test_a_killed_sandbox_leaves_nothing_after_down(tmp_path: Path) -> None:
    archive = write_archive(Image(IMAGE, tuple(busybox())), tmp_path)
    try:
        assert IMAGE in rescue("load", "--name", NAME, str(archive)).stdout
        up = rescue("up", "--name", NAME)
        assert up.exit_code == 0, up.stderr
        assert "runs already" in rescue("up", "--name", NAME).stderr
        assert "runs (pid " in rescue("status", "--name", NAME).stdout
        where = place.of(NAME)
        asyncio.run(run_pod(where))
        pid = manage.running_pid(where)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert rescue("status", "--name", NAME).exit_code == 4
        assert containers() != ""
    finally:
        down = rescue("down", "--name", NAME)
        subprocess.run(["podman", "rmi", "--force", IMAGE], check=True, capture_output=True)
    assert (down.exit_code, containers()) == (0, "")
    assert not where.folder.exists()
    assert "there is no sandbox" in rescue("down", "--name", NAME).stderr


def containers() -> str:
    label = f"label=dev.rescue.sandbox={NAME}"
    command = ["podman", "ps", "--all", "--quiet", "--filter", label]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


async def run_pod(where: place.Place) -> None:
    """A pod that runs, with a log and a command executed in it, all over the API."""
    container = {"name": "a", "image": IMAGE, "command": ["sh", "-c", "echo hello; sleep 1000"]}
    pods = "/api/v1/namespaces/default/pods"
    async with Recorder(where, "default").session() as client, asyncio.timeout(60):
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
        async with client.post(pods, json=pod) as response:
            assert response.status == 201, await response.text()
        async with client.get(f"{pods}?watch=1") as response:
            while b'"running"' not in await response.content.readline():
                pass
        async with client.get(f"{pods}/p/log?follow=true") as response:
            assert await response.content.readline() == b"hello\n"
        query = "command=sh&command=-c&command=cat;+exit+7&stdin=true&stdout=true"
        async with client.ws_connect(f"{pods}/p/exec?{query}", protocols=("v5.channel.k8s.io",)) as socket:
            await socket.send_bytes(b"\x00input")
            await socket.send_bytes(b"\xff\x00")
            answers = [message.data async for message in socket]
    assert answers[0] == b"\x01input"
    assert answers[-1].startswith(b"\x03") and b'"message": "7"' in answers[-1]
