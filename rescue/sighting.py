"""What the scout's observer wrote, and what it proves.  Pure.

The entrypoint is the first argv after the runtime's own init stage in a container's main process; what comes later
in that process was called by the entrypoint.  A wrong command is worse than none, so one sighting is enough only when
nothing could have come and gone before it; else three starts must agree, and no start may say otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rescue.model import JsonObject
from rescue.unstarted import NEVER_STARTED

OBSERVER = "rescue-observer"
# Microseconds. An exec and the start of a static shell take 300 and more; two looks without a break are 45 apart.
EXACT_GAP = 100
# Of the sightings that are not exact, one in six was of the program after the entrypoint, on a machine kept busy.
AGREEING = 3
# What runtimes say when the command of a container cannot be executed.
_NO_PROGRAM = ("StartError", "ContainerCannotRun", "RunContainerError")
_RUNTIMES = ("runc", "crun", "youki", "runsc", "exe", "sysbox-runc", "kata-agent")

Argv = tuple[bytes, ...]


@dataclass
class Start:
    """One start of a container: what its main process was seen to run; None where a program went by unread.

    ``gap``: the microseconds before the first of them in which nobody looked; None when that is not known.
    """

    cgroup: str = ""
    gap: int | None = None
    programs: list[Argv | None] = field(default_factory=list)

    @property
    def first(self) -> Argv | None:
        """What it ran first, the runtime left out; None when that was missed."""
        return next((program for program in self.programs if program is None or not is_runtime(program)), None)

    @property
    def is_exact(self) -> bool:
        """Whether the first program cannot have been preceded by another one."""
        watched = self.gap is not None and self.gap <= EXACT_GAP
        return watched and bool(self.programs) and self.first is self.programs[0]


def parse(log: str) -> list[Start]:
    """The starts in an observer's log; the last line may be cut, others that are no such lines are left out."""
    starts: dict[str, Start] = {}
    found: list[Start] = []
    for line in log.split("\n")[:-1]:
        verb, _, rest = line.partition(" ")
        pid, _, detail = rest.partition(" ")
        if verb == "start":
            starts[pid] = Start()
            found.append(starts[pid])
        elif pid in starts:
            _note(starts[pid], verb, detail)
    return found


def _note(start: Start, verb: str, detail: str) -> None:
    if verb == "cgroup":
        start.cgroup = detail
    elif verb == "missed":
        start.programs.append(None)
    elif verb == "argv":
        gap, _, content = detail.partition(" ")
        if not start.programs and gap.isdigit():
            start.gap = int(gap)
        start.programs.append(tuple(bytes.fromhex(content).removesuffix(b"\0").split(b"\0")))


def is_runtime(argv: Argv) -> bool:
    """Whether this is the container runtime on its way to the program: ``runc init``, ``/proc/self/exe init``."""
    name = argv[0].rpartition(b"/")[2].decode("utf-8", "replace")
    return name in _RUNTIMES or (argv[-1] == b"init" and name.partition(":")[0] in _RUNTIMES)


def of_container(starts: Iterable[Start], pod: JsonObject, name: str, seen: frozenset[str]) -> list[Start]:
    """The starts of one container of the scout; ``seen`` holds the ids that it had, as ``identities`` gives them.

    Where nobody has put another container beside it, every start is its.
    """
    spec = pod["spec"]
    everyone = [*spec["containers"], *(spec.get("initContainers") or ()), *(spec.get("ephemeralContainers") or ())]
    if {container["name"] for container in everyone} == {name, OBSERVER}:
        return list(starts)
    return [start for start in starts if any(identity in start.cgroup for identity in seen)]


def identities(pod: JsonObject, name: str) -> frozenset[str]:
    """The ids of a container's present and last run, as its cgroup names them."""
    entry = _entry(pod, name)
    ended = [(entry.get(state) or {}).get("terminated") or {} for state in ("state", "lastState")]
    found = [str(run.get("containerID") or "").rpartition("//")[2] for run in (entry, *ended)]
    return frozenset(identity for identity in found if identity)


def obstacle(pod: JsonObject, name: str) -> str:
    """Why the container or the observer does not start; empty when it does, or still may."""
    for entry in (pod.get("status") or {}).get("containerStatuses") or ():
        waiting = (entry.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in NEVER_STARTED:
            return f"{entry['name']}: {waiting['reason']}: {waiting.get('message', '')}"
    ended = (_entry(pod, name).get("lastState") or {}).get("terminated") or {}
    if ended.get("reason") in _NO_PROGRAM:
        return f"{name}: {ended['reason']}: {ended.get('message', '')}"
    return ""


def is_running(pod: JsonObject, name: str) -> bool:
    """Whether the container runs now."""
    return "running" in (_entry(pod, name).get("state") or {})


def backs_off(pod: JsonObject, name: str) -> bool:
    """Whether the kubelet waits before it starts the container again."""
    waiting = (_entry(pod, name).get("state") or {}).get("waiting") or {}
    return waiting.get("reason") == "CrashLoopBackOff"


def _entry(pod: JsonObject, name: str) -> JsonObject:
    entries = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((entry for entry in entries if entry["name"] == name), {})


def entrypoint(starts: Sequence[Start]) -> Argv | None:
    """The argv of the entrypoint, when the starts prove one."""
    later = {program for start in starts for program in _later(start)}
    exact = {start.first for start in starts if start.is_exact and start.first}
    if exact:
        return exact.pop() if len(exact) == 1 and not exact & later else None
    firsts = [start.first for start in starts if start.first and start.first not in later]
    return firsts[0] if len(firsts) >= AGREEING and len(set(firsts)) == 1 else None


def _later(start: Start) -> list[Argv | None]:
    """What the process became after its first program; that may be the same again."""
    return [program for program in start.programs if program != start.first]


def doubt(starts: Sequence[Start]) -> str:
    """Why there is no proof yet, in words."""
    if not starts:
        return "the container was not seen to start"
    times = "once" if len(starts) == 1 else f"{len(starts)} times"
    firsts = {start.first for start in starts if start.first}
    if not firsts:
        return f"the container was seen to start {times}, but its program ended each time before it could be read"
    if len(firsts) > 1:
        return f"the container was seen to start {times}, but not always with the same program"
    return f"the container was seen to start {times}, but another program may have come first"
