"""The sandbox's kubelet: pods as real containers, run by podman."""

from rescue.sandbox.kubelet.cluster import ClusterInfo
from rescue.sandbox.kubelet.kubelet import Kubelet
from rescue.sandbox.kubelet.logerror import LogError
from rescue.sandbox.kubelet.podman import Podman, PodmanError
from rescue.sandbox.kubelet.streams import ExecError, ExecSession
from rescue.sandbox.kubelet.sweep import sweep

__all__ = [
    "ClusterInfo",
    "ExecError",
    "ExecSession",
    "Kubelet",
    "LogError",
    "Podman",
    "PodmanError",
    "sweep",
]
