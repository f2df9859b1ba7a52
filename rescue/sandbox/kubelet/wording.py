"""podman's words turned into those of Kubernetes and containerd; pure."""

import re

_RUNC = re.compile(r"runc create failed: .*", re.DOTALL)
_SUFFIX = re.compile(r": OCI (runtime attempted to invoke a command that was not found|permission denied)$")
SHIM = "failed to create containerd task: failed to create shim task: OCI runtime create failed: "


def start_error(text: str) -> str:
    """The message of StartError for what podman said when the container could not be started."""
    match = _RUNC.search(text)
    return SHIM + _SUFFIX.sub("", match.group(0)) if match else SHIM + text


def exec_error(text: str) -> str:
    """The message for a command that exec could not start, from runc's stderr."""
    return (
        "Internal error occurred: error executing command in container: failed to exec in container: "
        f"failed to start exec: OCI runtime exec failed: {text.strip()}"
    )
