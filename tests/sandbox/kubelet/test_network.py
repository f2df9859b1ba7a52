"""Names and addresses of pods and services, on real containers."""

import socket
import subprocess
from pathlib import Path

import pytest

from rescue.sandbox.kubelet import ClusterInfo, Kubelet, Podman, sweep
from rescue.sandbox.kubelet.podman import GLOBAL
from rescue.sandbox.store import Store
from tests.sandbox.kubelet.pods import NODE, container, pod, run, running, service, until

pytestmark = pytest.mark.containers

SERVE = "mkdir /www; echo served > /www/index.html; httpd -f -p 8080 -h /www"


async def test_a_service_is_reached_by_name_and_refused_without_endpoints(kubelet: Kubelet, store: Store) -> None:
    store.create("services", service("web", "10.96.0.77", 80, 8080))
    store.create("services", service("empty", "10.96.0.78", 80, 8080))
    store.create("pods", pod("web", container(script=SERVE)))
    client = store.create("pods", pod("client"))
    await until(store, "client", running)
    await until(store, "web", running)
    fetch = "for i in $(seq 50); do wget -q -O - http://web && break; sleep 0.1; done"
    assert await run(kubelet, client, fetch) == "served\n"
    assert "refused" in await run(kubelet, client, "wget -q -O - http://empty 2>&1")
    assert "NXDOMAIN" in await run(kubelet, client, "nslookup nowhere.default.svc.cluster.local 2>&1")
    assert "bad address" in await run(kubelet, client, "wget -q -O - http://example.invalid 2>&1")


async def test_host_name_and_search_domains(kubelet: Kubelet, store: Store) -> None:
    found = store.create("pods", pod("named", hostAliases=[{"ip": "10.1.2.3", "hostnames": ["other"]}]))
    found = await until(store, "named", running)
    assert await run(kubelet, found, "hostname; echo $HOSTNAME") == "named\nnamed\n"
    hosts = await run(kubelet, found, "cat /etc/hosts")
    assert hosts.startswith("# Kubernetes-managed hosts file.\n")
    assert f"{found['status']['podIP']}\tnamed\n" in hosts
    assert "10.1.2.3\tother\n" in hosts
    resolv = await run(kubelet, found, "cat /etc/resolv.conf")
    assert "search default.svc.cluster.local svc.cluster.local cluster.local\n" in resolv
    assert "options ndots:5\n" in resolv


async def test_the_hosts_namespaces_are_used_when_asked(kubelet: Kubelet, store: Store) -> None:
    store.create("pods", pod("host", hostNetwork=True, hostPID=True, hostIPC=True))
    found = await until(store, "host", running)
    links = "for n in net pid ipc uts; do readlink /proc/self/ns/$n; done"
    assert await run(kubelet, found, links) == "".join(
        f"{Path('/proc/self/ns', name).readlink()}\n" for name in ("net", "pid", "ipc", "uts")
    )
    assert await run(kubelet, found, "hostname; echo $HOSTNAME") == f"{socket.gethostname()}\n" * 2


async def test_containers_share_network_and_when_asked_processes(kubelet: Kubelet, store: Store) -> None:
    two = [container("one", "sleep 1111"), container("two", "sleep 2222")]
    store.create("pods", pod("shared", *two, shareProcessNamespace=True))
    store.create("pods", pod("apart", *two))
    shared, apart = await until(store, "shared", running), await until(store, "apart", running)
    assert "sleep 1111" in await run(kubelet, shared, "ps -o args", "two")
    assert "sleep 1111" not in await run(kubelet, apart, "ps -o args", "two")
    links = "readlink /proc/self/ns/net"
    assert await run(kubelet, apart, links, "one") == await run(kubelet, apart, links, "two")


async def test_an_ephemeral_container_joins_its_target(kubelet: Kubelet, store: Store) -> None:
    store.create("pods", pod("debugged", container(script="sleep 3333")))
    found = await until(store, "debugged", running)
    spec = found["spec"] | {"ephemeralContainers": [container("debug") | {"targetContainerName": "app"}]}
    store.update("pods", store.get("pods", "default", "debugged") | {"spec": spec})
    found = await until(
        store, "debugged", lambda s: "running" in s.get("ephemeralContainerStatuses", [{"state": {}}])[0]["state"]
    )
    assert "sleep 3333" in await run(kubelet, found, "ps -o args", "debug")


async def test_a_sweep_removes_what_a_killed_daemon_left(tmp_path: Path, image: str) -> None:
    assert image
    name, store = "kubelet-sweep-test", Store()
    info = ClusterInfo(lambda namespace, account: namespace + account)
    left = Kubelet(store, Podman(name), NODE, tmp_path, info)
    try:
        await left.start()
        volumes = [{"name": "m", "emptyDir": {"medium": "Memory"}}]
        mounts = {"volumeMounts": [{"name": "m", "mountPath": "/m"}]}
        store.create("pods", pod("left", container() | mounts, volumes=volumes))
        await until(store, "left", running)
        assert all(_traces(name))
    finally:
        # Everything that stop() knows is taken from it: it works like the sweep after a kill.
        await sweep(name)
        traces = _traces(name)
        await left.stop()
    assert not any(traces)


def _traces(name: str) -> list[str]:
    """What the machine shows of a sandbox: containers, networks, mounts, packet rules."""
    label = f"label=dev.rescue.sandbox={name}"
    commands = [
        [*GLOBAL, "ps", "--all", "--quiet", "--filter", label],
        [*GLOBAL, "network", "ls", "--quiet", "--filter", label],
    ]
    found = [subprocess.run(c, capture_output=True, text=True, check=True).stdout.strip() for c in commands]
    mounts = "\n".join(line for line in Path("/proc/mounts").read_text().splitlines() if f"rescue-{name} " in line)
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    return [*found, mounts, "\n".join(line for line in rules.splitlines() if f"sandbox={name}" in line)]
