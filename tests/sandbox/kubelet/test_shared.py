"""One process namespace for a pod, and how far a cpu limit reaches."""

import struct
from pathlib import Path

import pytest

from rescue.sandbox.kubelet import Kubelet
from rescue.sandbox.kubelet.pauser import pause_program
from rescue.sandbox.store import Object, Store
from tests.sandbox.kubelet.pods import container, pod, run, running, until

pytestmark = pytest.mark.containers


async def test_the_containers_of_a_pod_may_share_their_processes(kubelet: Kubelet, store: Store) -> None:
    side = container("side", "sleep 1234")
    store.create("pods", pod("shared", container(), side, shareProcessNamespace=True))
    found = await until(store, "shared", running)
    assert await run(kubelet, found, "tr '\\0' ' ' < /proc/1/cmdline") == "/pause "
    mains = "for p in /proc/[0-9]*; do grep -q '^PPid:\t0$' $p/status && tr '\\0' ' ' < $p/cmdline && echo; done"
    shown = (await run(kubelet, found, mains)).splitlines()
    # Every container's first process has its parent outside of the pod; so has the command that looks.
    assert {"/pause ", "sleep 1000 ", "sleep 1234 "} <= set(shown)
    assert len(shown) == 4


async def test_pause_reaps_orphans_and_ignores_signals(kubelet: Kubelet, store: Store) -> None:
    store.create("pods", pod("orphans", shareProcessNamespace=True))
    found = await until(store, "orphans", running)
    # The grandchild's parent ends first: PID 1 inherits it.
    await run(kubelet, found, "sh -c 'sh -c \"exit 0\" & :'; kill -TERM 1; kill -KILL 1; sleep 0.2")
    zombies = await run(kubelet, found, "grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null; echo none")
    assert zombies == "none\n"


async def test_without_sharing_a_container_is_its_own_first_process(kubelet: Kubelet, store: Store) -> None:
    store.create("pods", pod("alone", container(), container("side", "sleep 1234")))
    found = await until(store, "alone", running)
    assert await run(kubelet, found, "tr '\\0' ' ' < /proc/1/cmdline") == "sleep 1000 "
    assert "1234" not in await run(kubelet, found, "cat /proc/[0-9]*/cmdline")


async def test_a_tiny_cpu_limit_holds_back_even_the_start_of_the_program(kubelet: Kubelet, store: Store) -> None:
    limits: Object = {"limits": {"cpu": "10m"}}
    store.create("pods", pod("slow", container("slow", "sleep 1000", resources=limits), container("fast")))
    found = await until(store, "slow", running)
    assert throttled(found, "slow") > 0, "before the program has done anything"
    assert throttled(found, "fast") == 0
    assert kubelet is not None


def throttled(found: Object, name: str) -> int:
    """Periods in which the kernel held the container back (cgroup v1 and v2)."""
    (identity,) = [
        status["containerID"].removeprefix("podman://")
        for status in found["status"]["containerStatuses"]
        if status["name"] == name
    ]
    texts = [path.read_text().split() for path in Path("/sys/fs/cgroup").glob(f"**/*{identity}*/cpu.stat")]
    (words,) = [text for text in texts if "nr_throttled" in text]
    return int(words[words.index("nr_throttled") + 1])


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 62), ("aarch64", 183)])
def test_the_pause_program_is_a_static_program_of_its_machine(machine: str, number: int) -> None:
    program = pause_program(machine)
    kind, found, _, entry, segments = struct.unpack_from("<HHIQQ", program, 16)
    load, flags, begin, address = struct.unpack_from("<IIQQ", program, segments)
    assert (program[:4], kind, found, load, flags, begin) == (b"\x7fELF", 2, number, 1, 5, 0)
    assert address < entry < address + len(program)
