"""Facts about the replay as a whole: how it ended, what the pod says, how much memory it took."""

import re

from rescue.diagnosis import output
from rescue.diagnosis.addresses import namespace
from rescue.diagnosis.container import status_of, terminated
from rescue.diagnosis.facts import Value, prefixed
from rescue.diagnosis.noise import is_noise
from rescue.diagnosis.output import Line
from rescue.diagnosis.recording import Recording
from rescue.model import Evidence

_MIB = 1 << 20
_LAST_CALLS = 8
# What the C library does in every process, and says nothing.
_PLUMBING = re.compile(
    r"(?: |\.\.\. )(?:set_robust_list|set_tid_address|rseq|rt_sigprocmask|sigaltstack|gettid|prlimit64|prctl)\b"
    r"|/ld\.so\.cache|--- SIGCHLD|\+\+\+ exited|<unfinished \.\.\.>$|\.so[\d.]*[\">]"
)
_TAIL = 1 << 16
_COMPLAINT = re.compile(
    r"\b(?:error|fatal|panic|crash\w*|exception|fail(?:ed|ure)|abort(?:ed|ing)|terminated|traceback)\b", re.I
)


def facts(recording: Recording) -> dict[str, Value]:
    """The groups ``run``, ``pod`` and ``memory``."""
    return _run(recording) | _pod(recording) | _memory(recording)


def _run(recording: Recording) -> dict[str, Value]:
    replay = recording.replay
    last = recording.output.last
    return prefixed(
        "run",
        ended=replay.ended,
        failed=recording.failed,
        exit_code=replay.exit_code,
        signal=replay.signal,
        program=replay.command[0] if replay.command else None,
        traced=replay.traced,
        silent=not recording.output.streams,
        seconds=replay.seconds,
        left_behind=", ".join(_left_behind(recording)) or None,
        complains=any(_COMPLAINT.search(line.text) for line in last if not output.is_harmless(line.text)),
        last_words=" | ".join(line.text.strip()[:200] for line in _telling(recording)) or None,
    )


def _telling(recording: Recording) -> tuple[Line, ...]:
    """The last four lines that are no mere chatter; where there is nothing else, the last four."""
    ending = next((stream[-2 * _LAST_CALLS :] for stream in recording.output.streams if stream), ())
    return (tuple(line for line in ending if not output.is_chatter(line.text)) or ending)[-4:]


def _left_behind(recording: Recording) -> list[str]:
    """Programs of the processes that outlived the main one, each once."""
    trace, main = recording.trace, recording.deaths[:1]
    end = main[0].offset if main and main[0].exit else None
    if end is None:
        return []
    leaders = [p for p in trace.processes.values() if p.leader == p.pid and p.pid != main[0].process.pid]
    alive = [p for p in leaders if p.pid not in trace.exits or trace.exits[p.pid].offset > end]
    return sorted({p.program.rpartition("/")[2] for p in alive if p.program})


def _pod(recording: Recording) -> dict[str, Value]:
    container = recording.container
    before = container.last_end
    waiting = container.waiting
    clone = terminated(status_of(recording.inputs.clone_status, container.name))
    return prefixed(
        "pod",
        exit_code=before.get("exitCode"),
        reason=before.get("reason"),
        message=before.get("message") or waiting.get("message"),
        restart_policy=container.restart_policy,
        is_init=container.is_init,
        clone_reason=clone.get("reason"),
        gains_privileges=container.gains_privileges,
        user=container.user,
        namespace=namespace(container.pod),
    )


def _memory(recording: Recording) -> dict[str, Value]:
    memory = recording.replay.memory
    if memory is None:
        return {}
    return prefixed(
        "memory",
        limit_mib=memory.limit / _MIB,
        peak_mib=memory.peak / _MIB,
        peak_ratio=memory.peak / memory.limit if memory.limit else None,
        oom_kills=memory.oom_kills,
        growth_mib_s=memory.growth_per_second / _MIB,
        largest=memory.largest_process,
    )


def memory_evidence(recording: Recording) -> tuple[Evidence, ...]:
    """The figures of memory.tsv in one line, if memory played a part."""
    memory = recording.replay.memory
    if memory is None or not (memory.oom_kills or (memory.limit and memory.peak >= 0.9 * memory.limit)):
        return ()
    largest = memory.largest_process or "not sampled"
    text = (
        f"peak {memory.peak / _MIB:.1f} MiB of {memory.limit / _MIB:.1f} MiB, {memory.oom_kills} process(es) "
        f"killed for memory, growth {memory.growth_per_second / _MIB:.1f} MiB/s, largest {largest}"
    )
    return (Evidence("memory.tsv", text),)


def state_evidence(recording: Recording) -> tuple[Evidence, ...]:
    """How the clone's and the original's container ended, as the kubelet wrote it."""
    status = status_of(recording.inputs.clone_status, recording.container.name)
    ends = (("clone-status.json", terminated(status)), ("pod.json", recording.container.last_end))
    return tuple(
        Evidence(source, f"reason {end.get('reason')}, exit code {end.get('exitCode')}") for source, end in ends if end
    )


def last_words(recording: Recording) -> tuple[Evidence, ...]:
    """The last lines of output, then the last calls of the process that died first."""
    words = [line.evidence() for stream in recording.output.streams for line in stream[-6:]]
    return (*words, *_last_calls(recording), *memory_evidence(recording), *state_evidence(recording))


def _last_calls(recording: Recording) -> list[Evidence]:
    if not recording.deaths:
        return []
    trace, death = recording.trace, recording.deaths[-1]
    start = max(0, death.offset - _TAIL)
    offsets = [start]
    for line in trace.buffer[start : death.offset].split(b"\n")[:-1]:
        offsets.append(offsets[-1] + len(line) + 1)
    threads = _threads(recording, death.process.pid)
    lines = [(o, trace.line(o)) for o in offsets[start > 0 :]]
    mine = [(o, line) for o, line in lines if _pid(line) in threads and not _is_plumbing(line)]
    return [Evidence(f"strace.log:{trace.line_number(o)}", line[:300]) for o, line in mine[-_LAST_CALLS:]]


def _is_plumbing(line: str) -> bool:
    path = re.search(r'"(/[^"]*)"', line)
    return bool(_PLUMBING.search(line) or (path and is_noise("", "ENOENT", path[1])))


def _threads(recording: Recording, leader: int) -> set[int]:
    return {leader, *(p.pid for p in recording.trace.processes.values() if p.leader == leader)}


def _pid(line: str) -> int:
    first = line.split(" ", 1)[0]
    return int(first) if first.isdecimal() and len(first) < 20 else 0
