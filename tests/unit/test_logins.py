"""Logins come from the pod's imagePullSecrets, then from this machine; what cannot be read is told without secrets."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from rescue.image import parse
from rescue.kube.errors import ClusterError
from rescue.logins import config_files, find_logins

IMAGE = parse("registry.example/team/shop:1")
HELPER = """#!/bin/sh
[ "$1:$(cat)" = get:registry.example ] || exit 1
echo '{{"Username": "{user}", "Secret": "s"}}'
"""


def encoded(content: Any) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def logins(user: str) -> dict[str, Any]:
    return {"registry.example": {"username": user, "password": "very-secret"}}


class Cluster:
    """A namespace's Secrets; those that are named but not there are refused with this status."""

    namespace = "shop"

    def __init__(self, status: int = 404, **secrets: Any) -> None:
        self.secrets, self.status = secrets, status

    def get(self, resource: str, namespace: str, name: str) -> Any:
        assert (resource, namespace) == ("secrets", "shop")
        if name not in self.secrets:
            raise ClusterError(f"cannot get secrets {name}", "", self.status)
        return {"data": self.secrets[name]}


def pod(*secrets: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop"}, "spec": {"imagePullSecrets": [{"name": name} for name in secrets]}}


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for docker's config; no other file of this machine is read."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write_config(folder: Path, **config: Any) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def write_helper(folder: Path, name: str, user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / f"docker-credential-{name}"
    program.write_text(HELPER.format(user=user))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def users(cluster: Any, of: dict[str, Any]) -> list[str]:
    return [login.user for login in find_logins(cluster, of, IMAGE).credentials]


def test_both_kinds_of_pull_secret_are_read() -> None:
    cluster: Any = Cluster(
        new={".dockerconfigjson": encoded({"auths": logins("new")})}, old={".dockercfg": encoded(logins("old"))}
    )
    assert users(cluster, pod("new", "old")) == ["new", "old"]


def test_the_pods_logins_come_before_this_machines(docker: Path) -> None:
    write_config(docker, auths=logins("local"))
    cluster: Any = Cluster(reg={".dockerconfigjson": encoded({"auths": logins("pod")})})
    assert users(cluster, pod("reg")) == ["pod", "local"]
    assert users(None, pod("reg")) == ["local"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_secret_that_cannot_be_read_is_told(status: int) -> None:
    cluster: Any = Cluster(status)
    found = find_logins(cluster, pod("reg"), IMAGE)
    assert found.credentials == []
    assert found.problems == ["imagePullSecret 'reg': cannot get secrets reg"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"password": "very-secret"}, "it has neither .dockerconfigjson nor .dockercfg"),
        ({".dockerconfigjson": base64.b64encode(b"very-secret").decode()}, "its content is no JSON"),
        ({".dockerconfigjson": "very-secret!"}, "its content is no JSON"),
        ({".dockerconfigjson": base64.b64encode(b"\xff\xfe").decode()}, "its content is no JSON"),
    ],
)
def test_a_malformed_secret_is_told_but_not_shown(data: dict[str, str], problem: str) -> None:
    cluster: Any = Cluster(reg=data)
    assert find_logins(cluster, pod("reg"), IMAGE).problems == [f"imagePullSecret 'reg': {problem}"]


def test_the_files_of_docker_and_podman() -> None:
    home = Path("/home/me")
    assert list(config_files({}, home)) == [home / ".docker/config.json"]
    environ = {"DOCKER_CONFIG": "/d", "REGISTRY_AUTH_FILE": "/a.json", "XDG_RUNTIME_DIR": "/run/user/1"}
    assert [str(path) for path in config_files(environ, home)] == [
        "/d/config.json", "/a.json", "/run/user/1/containers/auth.json",
    ]  # fmt: skip


def test_a_helper_is_asked_before_the_file(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_helper(docker, "test", "helped", monkeypatch)
    write_config(docker, auths=logins("written"), credHelpers={"registry.example": "test"})
    assert users(None, pod()) == ["helped", "written"]


def test_a_helper_may_give_a_refresh_token(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_helper(docker, "test", "<token>", monkeypatch)
    write_config(docker, credsStore="test")
    assert [(one.user, one.identity) for one in find_logins(None, pod(), IMAGE).credentials] == [("", "s")]


def test_a_helper_that_is_not_there_is_told(docker: Path) -> None:
    write_config(docker, auths=logins("written"), credsStore="no-such-helper")
    found = find_logins(None, pod(), IMAGE)
    assert [login.user for login in found.credentials] == ["written"]
    assert found.problems == ["docker-credential-no-such-helper: no login for registry.example (FileNotFoundError)"]


@pytest.mark.parametrize("content", ["{", "[]", "null", ""])
def test_a_malformed_file_has_no_logins(docker: Path, content: str) -> None:
    (docker / "config.json").write_text(content)
    assert find_logins(None, pod(), IMAGE).credentials == []


def test_a_machine_without_files_has_no_logins_and_no_problems() -> None:
    found = find_logins(None, pod(), IMAGE)
    assert (found.credentials, found.problems) == ([], [])
