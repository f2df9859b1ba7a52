"""Starting one container: its configuration as podman options, then create, init and start."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rescue.sandbox.kubelet.env import environment
from rescue.sandbox.kubelet.expand import expand
from rescue.sandbox.kubelet.images import Image
from rescue.sandbox.kubelet.mounts import bind_option, mount_options
from rescue.sandbox.kubelet.network import hostname
from rescue.sandbox.kubelet.node import Node
from rescue.sandbox.kubelet.observed import Container, Run
from rescue.sandbox.kubelet.oom import OomWatch
from rescue.sandbox.kubelet.pause import namespace_options
from rescue.sandbox.kubelet.podman import PodmanError
from rescue.sandbox.kubelet.security import check_nonroot, resource_options, security_options
from rescue.sandbox.kubelet.wording import start_error
from rescue.sandbox.store import Object, timestamp

# What podman would add to a container and Kubernetes does not.
_PLAIN = ("--http-proxy=false", "--systemd=false", "--sdnotify=ignore", "--pids-limit=-1",
          "--unsetenv", "container", "--unsetenv", "TERM", "--log-driver", "k8s-file")  # fmt: skip


class CreateError(Exception):
    """podman would not create the container; the text is the message of CreateContainerError."""


class StartError(Exception):
    """The container was created and its command could not be started; the text is containerd's message."""


@dataclass(frozen=True)
class Place:
    """The pod around a container: its infra container, volume paths, image volumes and network files."""

    pod: Object
    pause: str
    volumes: Mapping[str, Path]
    images: Mapping[str, str]
    network: Mapping[str, Path]
    # Ids of the running containers by name, for ephemeral containers that join one's processes.
    running: Mapping[str, str]


async def create(node: Node, place: Place, container: Container, image: Image, attempt: int) -> Run:
    """Create the next run of a container; ConfigError, CreateError."""
    check_nonroot(place.pod, container.spec, image.user)
    services = node.store.list("services")
    world = node.world(place.pod)
    env = {"HOSTNAME": hostname(place.pod)}
    env |= environment(place.pod, container.spec, world.lookup, services, world.capacity)
    folder = node.volumes.of_pod(place.pod) / "containers" / container.name / str(attempt)
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(attempt, "", image.name, image.pulled or image.id, folder / "log")
    options = _options(place, container, image, env, run)
    name = f"rescue-{node.podman.sandbox}-{place.pod['metadata']['uid']}-{container.name}-{attempt}"
    try:
        run.id = await node.podman.create(name, options, [image.id])
    except PodmanError as error:
        raise CreateError(error.text) from error
    return run


async def init(node: Node, run: Run) -> OomWatch:
    """Bring a created run to the point before its command's first instruction; StartError.

    Its credentials are noted, and its OOM watch is armed.
    """
    try:
        await node.podman.call("init", run.id, folder=run.log.parent)
    except PodmanError as error:
        raise StartError(start_error(error.text)) from error
    pid = process_id(run)
    run.uid, run.gid, run.groups = credentials(Path(f"/proc/{pid}/status").read_text())
    return OomWatch(pid)


async def start(node: Node, run: Run) -> None:
    """Let a run begin; StartError."""
    try:
        await node.podman.call("start", run.id)
    except PodmanError as error:
        raise StartError(start_error(error.text)) from error
    run.started = timestamp()


def pid_file(run: Run) -> Path:
    """Where podman writes the host's pid of the run's PID 1."""
    return run.log.with_name("pid")


def process_id(run: Run) -> int:
    """The host's pid of a run's PID 1, once it was brought to its start."""
    return int(pid_file(run).read_text())


def message_file(run: Run) -> Path:
    """The file behind the container's terminationMessagePath."""
    return run.log.with_name("message")


def oom_file(run: Run) -> Path:
    """What some versions of conmon write in their directory when they see an OOM."""
    return run.log.with_name("oom")


def credentials(status: str) -> tuple[int, int, tuple[int, ...]]:
    """uid, gid and supplementary groups in the text of ``/proc/PID/status``; pure."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    groups = tuple(int(group) for group in fields["Groups"].split())
    return int(fields["Uid"].split()[0]), int(fields["Gid"].split()[0]), groups


def command_line(container: Object, image: Image, env: Mapping[str, str]) -> list[str]:
    """argv: ``command`` replaces ENTRYPOINT and CMD, ``args`` replaces CMD; pure; ConfigError when empty."""
    command, args = container.get("command") or [], container.get("args") or []
    first = [expand(word, env) for word in command] or list(image.entrypoint)
    rest = [expand(word, env) for word in args] or ([] if command else list(image.cmd))
    if not first + rest:
        raise CreateError("failed to generate container spec: no command specified")
    return first + rest


def _options(place: Place, container: Container, image: Image, env: Mapping[str, str], run: Run) -> list[str]:
    spec = container.spec
    options = [*_PLAIN, "--log-opt", f"path={run.log}", "--pidfile", str(pid_file(run))]
    options += namespace_options(place.pod, place.pause, place.running.get(spec.get("targetContainerName", "")))
    options += [part for name, value in env.items() for part in ("--env", f"{name}={value}")]
    options += ["--entrypoint", json.dumps(command_line(spec, image, env))]
    if spec.get("workingDir"):
        options += ["--workdir", spec["workingDir"]]
    options += [flag for flag, on in (("--tty", spec.get("tty")), ("--interactive", spec.get("stdin"))) if on]
    options += security_options(place.pod, spec, image.user) + resource_options(spec)
    options += mount_options(place.pod, spec, place.volumes, place.images, env)
    return options + _files(place, spec, run)


def _files(place: Place, spec: Object, run: Run) -> list[str]:
    """Our own files in the container, less those that the pod mounts itself."""
    message = message_file(run)
    message.touch()
    message.chmod(0o666)
    files = {**place.network, spec.get("terminationMessagePath", "/dev/termination-log"): message}
    mounted = {mount["mountPath"].rstrip("/") for mount in spec.get("volumeMounts", [])}
    wanted = {target: path for target, path in files.items() if target not in mounted}
    return [part for target, path in wanted.items() for part in bind_option(path, target, read_only=False)]
