"""The replay from outside: put the toolkit into the clone, ask for a run, stop it."""

from rescue.clone import Clone
from rescue.errors import ExitCode, RescueError
from rescue.kube import exec as kexec
from rescue.kube.client import Cluster
from rescue.kube.patience import patiently
from rescue.waiting import KEEPER

BUSYBOX = "/bin/busybox"
SHELL_KEEPER = [BUSYBOX, "sh", "/.rescue/keeper"]
# The length is an argument, because a v4 exec stream cannot close stdin.
_UNPACK = f'{BUSYBOX} head -c "$1" | {BUSYBOX} tar -x -C /.rescue -f - && : >/.rescue/ready'


def _run(cluster: Cluster, clone: Clone, command: list[str], stdin: bytes = b"") -> str:
    """What a command in the keeper prints; run again after a broken connection, so twice must be as good as once."""
    code, out, err = patiently(lambda: kexec.run(cluster, clone.namespace, clone.name, KEEPER, command, stdin))
    if code:
        detail = err.decode("utf-8", "replace").strip() or out.decode("utf-8", "replace").strip()
        raise RescueError(
            f"{command[0]} in the keeper of the clone failed with exit code {code}: {detail}",
            "run it again with --keep, then: kubectl logs, kubectl describe pod",
            ExitCode.CLUSTER,
        )
    return out.decode("utf-8", "replace").strip()


def architecture(cluster: Cluster, clone: Clone) -> str:
    """What ``uname -m`` says in the clone."""
    return _run(cluster, clone, [BUSYBOX, "uname", "-m"])


def upload(cluster: Cluster, clone: Clone, tar: bytes) -> None:
    """Unpack the toolkit into the clone; raises RescueError (cluster) when that fails."""
    _run(cluster, clone, [BUSYBOX, "sh", "-c", _UNPACK, "unpack", str(len(tar))], tar)


def request(cluster: Cluster, clone: Clone, run: str, options: dict[str, str]) -> None:
    """Ask the hunter for a run with ``options`` (hunter_agent/README.md)."""
    _run(cluster, clone, [*SHELL_KEEPER, "request", run, *(f"{key}={value}" for key, value in options.items())])


def stop(cluster: Cluster, clone: Clone, run: str) -> None:
    """Ask the hunter to end the run."""
    _run(cluster, clone, [*SHELL_KEEPER, "stop", run])
