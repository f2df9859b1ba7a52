"""Exec and logs on real containers."""

import asyncio
import hashlib

import pytest

from rescue.sandbox.kubelet import ExecError, Kubelet, LogError
from rescue.sandbox.store import Object, Store
from tests.sandbox.kubelet.pods import collect, container, log, pod, run, running, terminated, until

pytestmark = pytest.mark.containers


@pytest.fixture
async def target(kubelet: Kubelet, store: Store) -> Object:
    """A pod whose container sleeps."""
    assert kubelet is not None
    store.create("pods", pod("target"))
    return await until(store, "target", running)


async def test_streams_are_apart_and_the_exit_code_is_the_commands(kubelet: Kubelet, target: Object) -> None:
    session = await kubelet.exec(target, "app", ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert await collect(session) == {0: b"7", 1: b"out\n", 2: b"err\n"}


async def test_a_closed_stdin_reaches_the_command(kubelet: Kubelet, target: Object) -> None:
    session = await kubelet.exec(target, "app", ["cat"], stdin=True)
    await session.write(b"one\n")
    await session.write(b"two")
    await session.close_stdin()
    assert await collect(session) == {0: b"0", 1: b"one\ntwo"}


async def test_megabytes_pass_unchanged_both_ways(kubelet: Kubelet, target: Object) -> None:
    data = bytes(range(256)) * (8 << 12)
    session = await kubelet.exec(target, "app", ["cat"], stdin=True)

    async def feed() -> None:
        for start in range(0, len(data), 1 << 16):
            await session.write(data[start : start + (1 << 16)])
        await session.close_stdin()

    feeding = asyncio.create_task(feed())
    found = await collect(session)
    await feeding
    assert len(found[1]) == len(data)
    assert hashlib.sha256(found[1]).digest() == hashlib.sha256(data).digest()


async def test_output_comes_as_it_is_written(kubelet: Kubelet, target: Object) -> None:
    session = await kubelet.exec(target, "app", ["sh", "-c", "echo now; cat"], stdin=True)
    assert await anext(session.output()) == (1, b"now\n")
    await session.close_stdin()
    assert await session.wait() == 0


async def test_a_terminal_has_a_size_and_joins_the_streams(kubelet: Kubelet, target: Object) -> None:
    session = await kubelet.exec(target, "app", ["sh"], stdin=True, tty=True)
    await session.resize(90, 30)
    # runc sets the size a moment after the command's start.
    await session.write(b"until stty size | grep '30 90'; do sleep 0.1; done; echo err >&2; exit 4\n")
    found = await collect(session)
    assert b"\n30 90\r\n" in found[1]
    assert b"err" in found[1]
    assert (found[0], set(found)) == (b"4", {0, 1})


@pytest.mark.parametrize("tty", [False, True])
async def test_an_absent_command_is_an_error_not_an_exit_code(kubelet: Kubelet, target: Object, tty: bool) -> None:
    session = await kubelet.exec(target, "app", ["/no/such"], tty=tty)
    assert [item async for item in session.output()] == []
    with pytest.raises(ExecError, match='exec: "/no/such": stat /no/such: no such file or directory'):
        await session.wait()


async def test_a_killed_session_kills_its_command(kubelet: Kubelet, target: Object) -> None:
    session = await kubelet.exec(target, "app", ["sh", "-c", "echo $$; exec sleep 777"])
    assert (await anext(session.output()))[0] == 1
    await session.kill()
    assert "sleep 777" not in await run(kubelet, target, "ps -o args")


async def test_a_signal_is_128_and_its_number(kubelet: Kubelet, target: Object) -> None:
    session = await kubelet.exec(target, "app", ["sh", "-c", "kill -9 $$"])
    assert (await collect(session))[0] == b"137"


async def test_exec_in_an_ended_container_is_refused(kubelet: Kubelet, store: Store) -> None:
    store.create("pods", pod("done", container(script="exit 0"), restartPolicy="Never"))
    found = await until(store, "done", terminated)
    with pytest.raises(LogError, match="container not found"):
        await kubelet.exec(found, "app", ["true"])


async def test_a_followed_log_ends_with_the_container(kubelet: Kubelet, store: Store) -> None:
    script = "echo first; sleep 1; echo second; printf unfinished"
    store.create("pods", pod("told", container(script=script), restartPolicy="Never"))
    found = await until(store, "told", running)
    assert await log(kubelet, found, follow=True) == b"first\nsecond\nunfinished"


async def test_tail_limit_and_time_of_a_log(kubelet: Kubelet, store: Store) -> None:
    script = "for i in 1 2 3 4; do echo line $i; done; sleep 1000"
    store.create("pods", pod("told", container(script=script)))
    found = await until(store, "told", running)
    while (await log(kubelet, found)).count(b"\n") < 4:
        await asyncio.sleep(0.05)
    assert await log(kubelet, found, tail_lines=2) == b"line 3\nline 4\n"
    assert await log(kubelet, found, tail_lines=0) == b""
    assert await log(kubelet, found, limit_bytes=9) == b"line 1\nli"
    assert await log(kubelet, found, since_seconds=3600) == await log(kubelet, found)
    stamp, text = (await log(kubelet, found, tail_lines=1, timestamps=True)).split(b" ", 1)
    assert (stamp[4:5], stamp[10:11], text) == (b"-", b"T", b"line 4\n")


async def test_a_long_line_is_whole(kubelet: Kubelet, store: Store) -> None:
    script = "head -c 100000 /dev/zero | tr '\\0' x; echo; sleep 1000"
    store.create("pods", pod("long", container(script=script)))
    found = await until(store, "long", running)
    while not (await log(kubelet, found)).endswith(b"\n"):
        await asyncio.sleep(0.05)
    assert await log(kubelet, found) == b"x" * 100000 + b"\n"
    assert await log(kubelet, found, tail_lines=1) == b"x" * 100000 + b"\n"


async def test_an_unknown_container_has_no_log(kubelet: Kubelet, target: Object) -> None:
    with pytest.raises(LogError) as caught:
        await log(kubelet, target, "zz")
    assert (caught.value.code, caught.value.message) == (400, "container zz is not valid for pod target")
