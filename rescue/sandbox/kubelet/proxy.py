"""Service addresses: packet rules that send a ClusterIP's traffic to the pods behind it."""

import asyncio
import contextlib
import hashlib
import logging
from asyncio.subprocess import PIPE

from rescue.sandbox.kubelet.endpoints import Endpoint, endpoints
from rescue.sandbox.kubelet.payload import VolumeError
from rescue.sandbox.kubelet.volumes import run
from rescue.sandbox.store import Object, Store, Watch

LOG = logging.getLogger(__name__)
# Changes that come together are applied together (seconds).
SETTLE = 0.1


def chain_of(sandbox: str) -> str:
    """The sandbox's chain; names of chains are at most 28 characters long; pure."""
    return f"RESCUE-{hashlib.sha256(sandbox.encode()).hexdigest()[:12].upper()}"


def rules(sandbox: str, services: list[Object], pods: list[Object]) -> str:
    """The nat chain's content as ``iptables-restore --noflush`` reads it; pure."""
    chain = chain_of(sandbox)
    lines = [
        line
        for service in services
        if service["spec"].get("clusterIP", "None") not in ("", "None")
        for port in service["spec"].get("ports", [])
        for line in _port_rules(chain, service["spec"]["clusterIP"], port, endpoints(service, port, pods))
    ]
    return "\n".join(["*nat", f":{chain} - [0:0]", *lines, "COMMIT", ""])


def _port_rules(chain: str, address: str, port: Object, targets: list[Endpoint]) -> list[str]:
    protocol = port.get("protocol", "TCP").lower()
    head = f"-A {chain} -d {address}/32 -p {protocol} --dport {port['port']}"
    lines = []
    for index, target in enumerate(targets):
        left = len(targets) - index
        chance = f" -m statistic --mode random --probability {1 / left:.6f}" if left > 1 else ""
        lines.append(f"{head}{chance} -j DNAT --to-destination {target.address}:{target.port}")
    return lines


def fixed_rules(sandbox: str, subnet: str, service_cidr: str) -> list[list[str]]:
    """The rules that stand while the sandbox does, each as ``table chain rule…``; pure.

    Both ends sit on one bridge, so the answer must pass the host to be translated back: masquerade.
    What is still addressed to a service after translation has no endpoint: connection refused.
    """
    chain = chain_of(sandbox)
    comment = ["-m", "comment", "--comment", f"dev.rescue.sandbox={sandbox}"]
    translated = ["-m", "conntrack", "--ctstate", "DNAT", "--ctorigdst", service_cidr]
    return [
        ["nat", "PREROUTING", "-s", subnet, "-d", service_cidr, *comment, "-j", chain],
        ["nat", "POSTROUTING", "-s", subnet, "-d", subnet, *translated, *comment, "-j", "MASQUERADE"],
        ["filter", "FORWARD", "-s", subnet, "-d", service_cidr, *comment, "-j", "REJECT"],
    ]


class ServiceProxy:
    """Keeps the rules in step with services and pods."""

    def __init__(self, store: Store, sandbox: str) -> None:
        self._store = store
        self._sandbox = sandbox
        self._applied = ""
        self._changed = asyncio.Event()
        self._watches: list[Watch] = []

    async def start(self, subnet: str, service_cidr: str) -> bool:
        """Put the fixed rules in place; false, with a warning, where iptables cannot be used."""
        try:
            await self._apply()
            for table, chain, *rule in fixed_rules(self._sandbox, subnet, service_cidr):
                await run("iptables", "--wait", "--table", table, "--insert", chain, *rule)
        except (VolumeError, OSError) as error:
            LOG.warning("services have no addresses in this sandbox: %s", error)
            return False
        self._watches = [self._store.watch("services"), self._store.watch("pods")]
        return True

    async def follow(self) -> None:
        """Apply changes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for watch in self._watches:
                tasks.create_task(self._note(watch))
            while True:
                await self._changed.wait()
                await asyncio.sleep(SETTLE)
                self._changed.clear()
                await self._apply()

    async def _note(self, watch: Watch) -> None:
        async for _ in watch:
            self._changed.set()

    async def _apply(self) -> None:
        text = rules(self._sandbox, self._store.list("services"), self._store.list("pods"))
        if text != self._applied:
            await restore(text)
            self._applied = text


async def restore(text: str) -> None:
    """Load rules without touching other chains; VolumeError with what iptables said."""
    process = await asyncio.create_subprocess_exec(
        "iptables-restore", "--wait", "--noflush", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    _, stderr = await process.communicate(text.encode())
    if process.returncode:
        raise VolumeError(f"iptables-restore: {stderr.decode(errors='replace').strip()}")


async def remove_rules(sandbox: str) -> None:
    """Take the sandbox's rules and chain away; what is not there is no error."""
    for table in ("filter", "nat"):
        with contextlib.suppress(OSError, VolumeError):
            saved = await run("iptables-save", "--table", table)
            text = removal(sandbox, table, saved)
            if text:
                await restore(text)


def removal(sandbox: str, table: str, saved: str) -> str:
    """``iptables-restore`` input that removes what ``iptables-save`` shows of the sandbox; pure."""
    chain, comment = chain_of(sandbox), f"dev.rescue.sandbox={sandbox}"
    lines = saved.splitlines()
    ours = [
        line.replace("-A ", "-D ", 1)
        for line in lines
        if line.startswith("-A ") and comment in line.replace('"', "").split()
    ]
    if any(line.startswith(f":{chain} ") for line in lines):
        ours = [f":{chain} - [0:0]", *ours, f"-X {chain}"]
    return "\n".join([f"*{table}", *ours, "COMMIT", ""]) if ours else ""
