"""This machine as a Node object, with what it really has."""

import os
import platform
import shutil
from pathlib import Path

from rescue.sandbox.discovery import architecture
from rescue.sandbox.objects import Object, timestamp
from rescue.sandbox.schema import VERSION

NAME = "node1"
_MAX_PODS = 110
# type -> (status, reason, message), as a healthy kubelet reports them.
_CONDITIONS = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


def node(folder: Path, podman_version: str) -> Object:
    """The Node; its ephemeral storage is what is free at ``folder``."""
    room = _capacity(folder)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NAME, "labels": _labels()},
        "spec": {},
        "status": {
            "addresses": [{"type": "Hostname", "address": NAME}],
            "allocatable": room,
            "capacity": room,
            "conditions": [_condition(kind, *texts) for kind, texts in _CONDITIONS.items()],
            "nodeInfo": {
                "architecture": architecture(),
                "bootID": _text("/proc/sys/kernel/random/boot_id"),
                "containerRuntimeVersion": f"podman://{podman_version}",
                "kernelVersion": platform.release(),
                "kubeProxyVersion": f"v{VERSION}.0",
                "kubeletVersion": f"v{VERSION}.0",
                "machineID": _text("/etc/machine-id"),
                "operatingSystem": "linux",
                "osImage": _os_name(),
                "systemUUID": "",
            },
        },
    }


def _labels() -> dict[str, str]:
    prefixes = ("kubernetes.io", "beta.kubernetes.io")
    parts = {"arch": architecture(), "os": "linux"}
    labels = {f"{prefix}/{key}": value for prefix in prefixes for key, value in parts.items()}
    return labels | {"kubernetes.io/hostname": NAME}


def _capacity(folder: Path) -> dict[str, str]:
    pages, page_size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{pages * page_size // 1024}Ki",
        "ephemeral-storage": f"{shutil.disk_usage(folder).free // 1024}Ki",
        "pods": str(_MAX_PODS),
    }


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    now = timestamp()
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {"type": kind, "status": status, "reason": reason, "message": message} | times


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError:  # absent in some containers; the field is free text
        return ""


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:  # no os-release file
        return "Linux"
