"""An exec gives up on a server that is silent, and never takes a broken stream for an exit code."""

import json
import socket
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import Configuration
from websocket import ABNF

from rescue.kube import exec as kexec
from rescue.kube.errors import ClusterError


def status(**fields: Any) -> bytes:
    return json.dumps({"kind": "Status", **fields}).encode()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (status(status="Success"), 0),
        (status(status="Failure", details={"causes": [{"reason": "ExitCode", "message": "7"}]}), 7),
    ],
)
def test_the_exit_code_is_that_of_the_status(answer: bytes, code: int) -> None:
    assert kexec.exit_code(answer) == code


def test_a_command_that_never_ran_has_no_exit_code() -> None:
    with pytest.raises(ClusterError, match="executable file not found"):
        kexec.exit_code(status(status="Failure", message="executable file not found"))


class Socket:
    """Gives frames one by one, then what a closed connection gives."""

    def __init__(self, *frames: tuple[int, bytes]) -> None:
        self.frames: Iterator[tuple[int, bytes]] = iter(frames)

    def settimeout(self, _seconds: float) -> None: ...

    def recv_data(self, control_frame: bool) -> tuple[int, bytes]:
        assert control_frame
        return next(self.frames, (ABNF.OPCODE_CLOSE, struct.pack("!H", 1000)))


def test_a_stream_that_closes_before_the_status_is_dropped() -> None:
    socket: Any = Socket((ABNF.OPCODE_BINARY, b"\x01hello"))
    session = kexec.Session(socket)
    seen: list[tuple[int, bytes]] = []
    with pytest.raises(kexec.Dropped, match="before the exit status"):
        seen.extend(session.frames())
    assert session.exit_code is None


def test_channels_and_the_status_are_told_apart() -> None:
    socket: Any = Socket(
        (ABNF.OPCODE_BINARY, b"\x01"),
        (ABNF.OPCODE_BINARY, b"\x01out\x00\xff"),
        (ABNF.OPCODE_PONG, b""),
        (ABNF.OPCODE_BINARY, b"\x02err"),
        (ABNF.OPCODE_BINARY, b"\x03" + status(status="Success")),
    )
    session = kexec.Session(socket)
    assert list(session.frames()) == [(1, b"out\x00\xff"), (2, b"err")]
    assert session.exit_code == 0


def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kexec, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        cluster: Any = SimpleNamespace(
            host=host, headers=dict, api=SimpleNamespace(configuration=Configuration(host=host))
        )
        with pytest.raises(ClusterError, match="does not answer"), kexec.open_session(cluster, "n", "p", "c", ["true"]):
            pytest.fail("there was no handshake")
