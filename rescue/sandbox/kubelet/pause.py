"""The infra container of a pod: it holds the network, ipc and host name that the containers share."""

from pathlib import Path

from rescue.sandbox.kubelet.network import host_resolv_conf, hostname, hosts_file, resolv_conf
from rescue.sandbox.kubelet.node import Node
from rescue.sandbox.kubelet.pauser import pause_program
from rescue.sandbox.store import Object

_COMMAND = "/pause"
# The folders that podman mounts on; made once so that infra containers can start side by side.
_FOLDERS = ("dev", "etc", "proc", "run", "sys")


def pause_rootfs(folder: Path) -> Path:
    """A root file system with nothing but the program that waits."""
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    program = folder / _COMMAND.lstrip("/")
    program.write_bytes(pause_program())
    program.chmod(0o755)
    return folder


async def start_pause(node: Node, pod: Object, name: str) -> tuple[str, str]:
    """Create and start the infra container; its id and the pod's address.  PodmanError."""
    own = bool(pod["spec"].get("hostNetwork"))
    place = ["--network", "host", "--uts", "host"] if own else ["--network", node.network.name]
    options = [*place, "--log-driver", "none"] + ([] if own else ["--hostname", hostname(pod)])
    for sysctl in (pod["spec"].get("securityContext") or {}).get("sysctls") or []:
        options += ["--sysctl", f"{sysctl['name']}={sysctl['value']}"]
    options += ["--http-proxy=false", "--rootfs"]
    identity = await node.podman.create(name, options, [str(node.pause), _COMMAND])
    folder = node.volumes.of_pod(pod)
    folder.mkdir(parents=True, exist_ok=True)
    await node.podman.call("start", identity, folder=folder)
    return identity, node.address() if own else await node.network.address(identity)


def write_network_files(node: Node, pod: Object, address: str) -> dict[str, Path]:
    """Write the pod's hosts, hostname and resolv.conf; where they go in a container, and where they are."""
    folder = node.volumes.of_pod(pod) / "etc"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "hosts": hosts_file(pod, address, node.cluster.domain),
        "hostname": hostname(pod) + "\n",
        "resolv.conf": resolv_conf(pod, node.network.gateway, node.cluster, host_resolv_conf()),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {f"/etc/{name}": folder / name for name in texts}


def namespace_options(pod: Object, pause: str, target: str | None) -> list[str]:
    """The options by which a container joins the infra container, or the processes of ``target``; pure."""
    spec = pod["spec"]
    options = ["--network", f"container:{pause}"]
    options += ["--uts", "host" if spec.get("hostNetwork") else f"container:{pause}"]
    options += ["--ipc", "host" if spec.get("hostIPC") else f"container:{pause}"]
    if target:
        options += ["--pid", f"container:{target}"]
    elif spec.get("hostPID"):
        options += ["--pid", "host"]
    elif spec.get("shareProcessNamespace"):
        options += ["--pid", f"container:{pause}"]
    return options
