"""The sandbox's bridge network, and the files that name a pod's neighbours to it."""

import socket
from pathlib import Path

from rescue.sandbox.kubelet.cluster import ClusterInfo
from rescue.sandbox.kubelet.podman import Podman, PodmanError
from rescue.sandbox.store import Object

_HOSTS = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


class Network:
    """One podman network for the sandbox; ``gateway`` is the host's address in it."""

    def __init__(self, podman: Podman) -> None:
        self._podman = podman
        self.name = f"rescue-{podman.sandbox}"
        self.gateway = ""
        self.subnet = ""

    async def start(self) -> None:
        """Make the network; podman picks a free subnet."""
        try:
            await self._podman.call("network", "create", "--label", self._podman.label, "--disable-dns", self.name)
        except PodmanError as error:
            if "already exists" not in error.text and "already used" not in error.text:
                raise
        subnet = (await self._podman.json("network", "inspect", self.name))[0]["subnets"][0]
        self.gateway, self.subnet = subnet["gateway"], subnet["subnet"]

    async def stop(self) -> None:
        """Remove the network; its containers must be gone."""
        await self._podman.call("network", "rm", "--force", self.name)

    async def address(self, container: str) -> str:
        """The address of a container in the network."""
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return (await self._podman.call("container", "inspect", "--format", template, container)).strip()


def hostname(pod: Object) -> str:
    """The pod's host name, at most 63 characters; the host's own with hostNetwork."""
    if pod["spec"].get("hostNetwork"):
        return socket.gethostname()
    name: str = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return name[:63].rstrip("-.")


def hosts_file(pod: Object, address: str, domain: str) -> str:
    """``/etc/hosts`` as the kubelet writes it; pure."""
    name, subdomain = hostname(pod), pod["spec"].get("subdomain")
    full = f"{name}.{subdomain}.{pod['metadata']['namespace']}.svc.{domain}\t" if subdomain else ""
    text = f"{_HOSTS}{address}\t{full}{name}\n"
    aliases = pod["spec"].get("hostAliases") or []
    lines = [f"{alias['ip']}\t" + "\t".join(alias.get("hostnames", [])) for alias in aliases]
    return text + ("\n# Entries added by HostAliases.\n" + "\n".join(lines) + "\n" if lines else "")


def resolv_conf(pod: Object, server: str, cluster: ClusterInfo, host: str) -> str:
    """``/etc/resolv.conf`` for the pod's dnsPolicy and dnsConfig; ``host`` is the host's file; pure."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    config = spec.get("dnsConfig") or {}
    local = policy == "Default" or (policy == "ClusterFirst" and spec.get("hostNetwork"))
    if local and not config:
        return host
    servers, searches, options = _parsed(host) if local else ([], [], [])
    if not local and policy != "None":
        namespace, domain = pod["metadata"]["namespace"], cluster.domain
        servers, options = [server], ["ndots:5"]
        searches = [f"{namespace}.svc.{domain}", f"svc.{domain}", domain]
    servers += config.get("nameservers") or []
    searches += config.get("searches") or []
    extra = [f"{o['name']}:{o['value']}" if o.get("value") else o["name"] for o in config.get("options") or []]
    given = {option.split(":")[0] for option in extra}
    options = [option for option in options if option.split(":")[0] not in given] + extra
    return _rendered(servers, searches, options)


def _parsed(text: str) -> tuple[list[str], list[str], list[str]]:
    words = [line.split() for line in text.splitlines() if line.strip() and line[0] not in "#;"]
    servers = [line[1] for line in words if line[0] == "nameserver"]
    searches = [word for line in words if line[0] == "search" for word in line[1:]]
    return servers, searches, [word for line in words if line[0] == "options" for word in line[1:]]


def _rendered(servers: list[str], searches: list[str], options: list[str]) -> str:
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {server}" for server in servers]
    lines += [f"options {' '.join(options)}"] if options else []
    return "".join(f"{line}\n" for line in lines)


def host_resolv_conf() -> str:
    """The host's own file, or nothing."""
    path = Path("/etc/resolv.conf")
    return path.read_text() if path.exists() else ""
