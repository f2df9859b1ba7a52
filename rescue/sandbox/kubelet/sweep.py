"""Removing everything that a sandbox made, also after its daemon was killed: found by its name alone."""

from pathlib import Path

from rescue.sandbox.kubelet.podman import LABEL, Podman
from rescue.sandbox.kubelet.proxy import remove_rules
from rescue.sandbox.kubelet.volumes import run


async def sweep(name: str) -> None:
    """Remove the sandbox's containers, network, packet rules and mounts; what is not there is no error."""
    podman = Podman(name)
    label = f"label={podman.label}"
    found = await podman.json("ps", "--all", "--format", "json", "--filter", label)
    # Infra containers last: podman refuses to remove one that others still depend on.
    pauses = {entry["Id"] for entry in found if f"{LABEL}.pause" in (entry.get("Labels") or {})}
    await podman.remove(*(entry["Id"] for entry in found if entry["Id"] not in pauses))
    await podman.remove(*pauses)
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
