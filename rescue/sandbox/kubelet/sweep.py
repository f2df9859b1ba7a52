"""Removing everything that a sandbox made, also after its daemon was killed: found by its name alone."""

from pathlib import Path

from rescue.sandbox.kubelet.podman import Podman
from rescue.sandbox.kubelet.proxy import remove_rules
from rescue.sandbox.kubelet.volumes import run


async def sweep(name: str) -> None:
    """Remove the sandbox's containers, network, packet rules and mounts; what is not there is no error."""
    podman = Podman(name)
    label = f"label={podman.label}"
    containers = await podman.call("ps", "--all", "--quiet", "--no-trunc", "--filter", label)
    await podman.remove(*containers.split())
    networks = await podman.call("network", "ls", "--format", "{{.Name}}", "--filter", label)
    for network in networks.split():
        await podman.call("network", "rm", "--force", network)
    for path in mounts_of(name, Path("/proc/self/mountinfo").read_text()):
        await run("umount", "--lazy", path)
    await remove_rules(name)


def mounts_of(name: str, mountinfo: str) -> list[str]:
    """Mount points whose source is the sandbox's mount name, in /proc/self/mountinfo's format; pure."""
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        if right.split()[1] == f"rescue-{name}":
            found.append(left.split()[4].encode().decode("unicode_escape"))
    return found
