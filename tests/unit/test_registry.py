"""A registry is asked for the config of an image: with the right login, verified, and within bounds of time."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rescue import oci, registry
from rescue.credentials import Credential
from rescue.errors import ExitCode, RescueError
from rescue.image import parse
from rescue.oci import Found
from tests.unit.fake_registry import BASIC, IDENTITY, PASSWORD, USER, FakeRegistry, serving, write_certificate

RIGHT = Credential(USER, PASSWORD, source="Secret right")
WRONG = Credential(USER, "not-it", source="Secret wrong")
TOKEN = Credential("", "", IDENTITY, source="helper")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture
def fake(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving(FakeRegistry(), certificate) as served:
        yield served


def ask(fake: FakeRegistry, version: str, *logins: Credential, architecture: str = "", running: str = "") -> Found:
    separator = "@" if version.startswith("sha256:") else ":"
    return registry.find_config(parse(f"{fake.host}/team/shop{separator}{version}"), logins, architecture, running)


def refused(fake: FakeRegistry, version: str, *logins: Credential, architecture: str = "", running: str = "") -> str:
    with pytest.raises(RescueError) as error:
        ask(fake, version, *logins, architecture=architecture, running=running)
    assert error.value.code is ExitCode.CLUSTER
    return error.value.message


def test_an_image_at_a_digest(fake: FakeRegistry) -> None:
    digest = fake.image(Entrypoint=["/app"], Cmd=["run"])
    assert ask(fake, digest).config == {"Entrypoint": ["/app"], "Cmd": ["run"]}
    assert next(path for _, path, _ in fake.requests) == f"/v2/team/shop/manifests/{digest}"


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_a_login_is_given_in_the_way_that_the_registry_asks(fake: FakeRegistry, kind: str) -> None:
    fake.auth = kind
    digest = fake.image(Cmd=["run"])
    assert ask(fake, digest, RIGHT).config == {"Cmd": ["run"]}


def test_a_token_is_asked_for_pulling_this_image_only(fake: FakeRegistry) -> None:
    fake.auth = "bearer"
    ask(fake, fake.image(), RIGHT)
    asked = [path for _, path, given in fake.requests if given == BASIC]
    assert asked == ["/token?service=shop.example&scope=repository%3Ateam%2Fshop%3Apull"]


def test_a_refresh_token_is_exchanged(fake: FakeRegistry) -> None:
    fake.auth = "bearer"
    assert ask(fake, fake.image(Cmd=["run"]), TOKEN).config == {"Cmd": ["run"]}
    assert fake.forms[0]["scope"] == ["repository:team/shop:pull"]


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_the_next_login_is_tried_and_the_anonymous_last(fake: FakeRegistry, kind: str) -> None:
    fake.auth = kind
    digest = fake.image(Cmd=["run"])
    assert ask(fake, digest, WRONG, RIGHT).config == {"Cmd": ["run"]}
    message = refused(fake, digest, WRONG)
    assert "not allowed with Secret wrong; not allowed without credentials" in message
    assert "not-it" not in message


def test_a_registry_that_is_open_is_not_given_a_login(fake: FakeRegistry) -> None:
    ask(fake, fake.image(), RIGHT)
    assert {given for _, _, given in fake.requests} == {""}


def test_what_is_not_there_is_not_found(fake: FakeRegistry) -> None:
    assert "not found without credentials" in refused(fake, "sha256:" + "0" * 64)


@pytest.mark.parametrize("status", [429, 500])
def test_a_registry_that_fails_is_quoted(fake: FakeRegistry, status: int) -> None:
    digest = fake.image()
    fake.statuses = [status]
    assert f"answered with HTTP {status}" in refused(fake, digest)


def test_content_of_another_digest_is_refused(fake: FakeRegistry) -> None:
    good, bad = fake.image(Cmd=["run"]), fake.image(Cmd=["rm"])
    fake.contents[good] = fake.contents[bad]
    assert f"asked for {good}, the registry sent {bad}" in refused(fake, good)


def test_a_config_of_another_digest_is_refused(fake: FakeRegistry) -> None:
    good = fake.image(Cmd=["run"])
    fake.contents[fake.config_digest(good)] = ("application/json", b'{"config": {"Cmd": ["rm"]}}')
    assert "did not answer as a registry: DXFDigestMismatchError" in refused(fake, good)


@pytest.mark.parametrize("content", [b"not json", b"[]", b'{"schemaVersion": 1}', b'{"config": 5}'])
def test_what_is_no_manifest_is_said(fake: FakeRegistry, content: bytes) -> None:
    digest = fake.put(content)
    assert "did not answer as a registry" in (said := refused(fake, digest)) or "names no config" in said


def two_platforms(fake: FakeRegistry, same: bool = False) -> tuple[str, dict[str, str]]:
    images = {
        "linux/amd64": fake.image(Entrypoint=["/app"], Env=["A=1"]),
        "linux/arm64": fake.image(Entrypoint=["/app" if same else "/other"], Env=["A=2"]),
        "windows/amd64": fake.image(Entrypoint=["C:\\app.exe"]),
        "unknown/unknown": fake.image(Entrypoint=["attestation"]),
    }
    return fake.index("1", images), images


def test_of_an_index_the_nodes_platform_counts(fake: FakeRegistry) -> None:
    digest, _ = two_platforms(fake)
    assert ask(fake, digest, architecture="arm64").config["Entrypoint"] == ["/other"]
    assert ask(fake, digest, architecture="amd64").config["Entrypoint"] == ["/app"]
    assert "has no image for linux/riscv64" in refused(fake, digest, architecture="riscv64")


def test_without_a_platform_all_of_linux_must_agree(fake: FakeRegistry) -> None:
    digest, _ = two_platforms(fake)
    assert "is not the same on linux/amd64, linux/arm64" in refused(fake, digest)
    digest, _ = two_platforms(fake, same=True)
    assert ask(fake, digest).config["Entrypoint"] == ["/app"]


def test_the_digest_of_the_running_image_picks_its_platform(fake: FakeRegistry) -> None:
    _, images = two_platforms(fake)
    running = fake.config_digest(images["linux/arm64"])
    assert ask(fake, "1", running=running).config["Entrypoint"] == ["/other"]
    assert ask(fake, "1", running=images["linux/amd64"]).config["Entrypoint"] == ["/app"]


def test_a_tag_that_has_moved_is_not_the_image_that_runs(fake: FakeRegistry) -> None:
    running = fake.config_digest(fake.image("1", Cmd=["old"]))
    fake.image("1", Cmd=["new"])
    assert "is not the image that the container runs" in refused(fake, "1", running=running)


def test_a_tag_on_the_nodes_own_loopback_is_not_asked_of_this_machine(fake: FakeRegistry) -> None:
    fake.image("1", Cmd=["run"])
    assert "the node's own loopback" in refused(fake, "1")
    assert fake.requests == []


def test_plain_http_is_spoken_on_loopback_but_no_login_is_sent_over_it() -> None:
    with serving(FakeRegistry(), None) as fake:
        digest = fake.image(Cmd=["run"])
        assert ask(fake, digest, RIGHT).config == {"Cmd": ["run"]}
        fake.auth = "basic"
        assert "it wants a login, and that is not sent in the clear" in refused(fake, digest, RIGHT)
        assert {given for _, _, given in fake.requests} == {""}


def test_plain_http_is_not_spoken_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: real("127.0.0.1", *rest, **more))
    with serving(FakeRegistry(), None) as fake:
        port = fake.host.partition(":")[2]
        with pytest.raises(RescueError) as error:
            registry.find_config(parse(f"registry.example:{port}/team/shop:1"), [], "", "")
    assert "no certificate that this machine trusts" in error.value.message
    assert fake.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: real("127.0.0.1", *rest, **more))
    with serving(FakeRegistry(), certificate) as fake:
        port = fake.host.partition(":")[2]
        with pytest.raises(RescueError) as error:
            registry.find_config(parse(f"registry.example:{port}/team/shop:1"), [], "", "")
    assert "no certificate that this machine trusts" in error.value.message


def test_a_registry_that_is_down_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(RescueError) as error:
        registry.find_config(parse(f"127.0.0.1:{port}/team/shop@sha256:{'0' * 64}"), [RIGHT], "", "")
    assert error.value.message.startswith(f"the registry 127.0.0.1:{port} does not answer: ")
    assert error.value.message.endswith("Connection refused")


def test_a_registry_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oci, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(RescueError) as error:
            registry.find_config(parse(f"127.0.0.1:{port}/team/shop@sha256:{'0' * 64}"), [], "", "")
    assert "does not answer" in error.value.message


def test_a_name_server_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = threading.Event()
    monkeypatch.setattr(registry, "TOTAL_SECONDS", 0.2)
    monkeypatch.setattr(oci, "_fetch", lambda *_, **__: woken.wait(30))
    with pytest.raises(RescueError) as error:
        registry.find_config(parse("registry.example/team/shop:1"), [], "", "")
    woken.set()
    assert error.value.message == "the registry registry.example did not answer within 0 s"


def test_the_bounds_are_what_an_engineer_waits() -> None:
    assert (oci.SECONDS, registry.TOTAL_SECONDS) == (5, 12)


@pytest.mark.parametrize(("module", "libraries"), [("cli", "{'dxf', 'requests'}"), ("entrypoint", "{'dxf'}")])
def test_only_a_lookup_loads_the_client(module: str, libraries: str) -> None:
    script = f"import sys, rescue.{module}; print({libraries} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
