"""What the kubelet has observed of one pod: the values from which its status is built."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rescue.sandbox.store import Object


class Kind(Enum):
    """The four sorts of containers, named as in fieldPath; a sidecar is an init container that stays."""

    INIT = "initContainers"
    SIDECAR = "sidecars"
    APP = "containers"
    EPHEMERAL = "ephemeralContainers"

    @property
    def field(self) -> str:
        """The list of ``spec`` in which such containers are written."""
        return "initContainers" if self is Kind.SIDECAR else self.value


@dataclass(frozen=True)
class Waiting:
    """Why a container does not run now."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class Exit:
    """How a run ended; times are RFC 3339 in whole seconds."""

    code: int
    reason: str
    finished: str
    started: str
    message: str = ""
    # The same moment as ``finished`` in seconds since the epoch, with its fraction.
    moment: float = 0.0


@dataclass
class Run:
    """One life of a container; ``attempt`` counts from 0 and is the restartCount."""

    attempt: int
    id: str
    image: str
    image_id: str
    log: Path
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    started: str = ""
    exit: Exit | None = None

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return bool(self.started) and self.exit is None


@dataclass
class Container:
    """One container of the pod: its spec, its last two runs and what the probes say."""

    spec: Object
    kind: Kind
    run: Run | None = None
    previous: Run | None = None
    waiting: Waiting | None = None
    started: bool = False
    ready: bool = False

    @property
    def name(self) -> str:
        """The name, unique in the pod."""
        return str(self.spec["name"])

    @property
    def field_path(self) -> str:
        """The fieldPath of events about it, like ``spec.containers{app}``."""
        return f"spec.{self.kind.field}{{{self.name}}}"

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self.waiting is None and self.run is not None and self.run.running

    @property
    def last_exit(self) -> Exit | None:
        """How its latest finished run ended."""
        for run in (self.run, self.previous):
            if run and run.exit:
                return run.exit
        return None


@dataclass
class PodView:
    """The pod as the API has it, and what is true of it on this node."""

    pod: Object
    containers: list[Container]
    host_ip: str
    start_time: str
    ip: str = ""
    sandbox_ready: bool = False
    # A finished pod first shows its containers' ends, then the phase: its sandbox is gone by then.
    phase_settled: bool = False
    failure: tuple[str, str] | None = None
    # Being removed: its containers' ends decide the phase, whatever the restartPolicy.
    removing: bool = False

    def of(self, *kinds: Kind) -> list[Container]:
        """The containers of these kinds, in the order of the spec."""
        return [container for container in self.containers if container.kind in kinds]


def containers_of(pod: Object) -> list[Container]:
    """The containers of a pod's spec, none of them run yet."""
    spec = pod["spec"]
    init = [
        Container(c, Kind.SIDECAR if c.get("restartPolicy") == "Always" else Kind.INIT)
        for c in spec.get("initContainers", [])
    ]
    apps = [Container(c, Kind.APP) for c in spec["containers"]]
    return init + apps + [Container(c, Kind.EPHEMERAL) for c in spec.get("ephemeralContainers", [])]
