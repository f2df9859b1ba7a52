"""memory.tsv of one replay as the figures that matter."""

from collections.abc import Iterable
from dataclasses import dataclass

from rescue.model import Memory

_WINDOW = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: ``kind`` is ``cgroup`` (current, peak, OOM kills) or ``proc`` (pid, RSS, name)."""

    time: float
    kind: str
    fields: tuple[str, ...]

    def number(self, index: int) -> int:
        """A field as a number; 0 for what is not one (a row cut in the middle)."""
        value = self.fields[index] if index < len(self.fields) else ""
        return int(value) if (value.isdecimal() and len(value) < 20) else 0


def read(table: bytes) -> Memory | None:
    """Bytes of memory.tsv to its figures, None when there is no sample.

    ``growth_per_second`` is of the ten seconds before the highest sample; the largest process is
    the one that ever held most, as ``name (pid N)``; empty if none was seen with a quarter of the peak.
    """
    head, *rows = table.decode("utf-8", "replace").splitlines() or [""]
    samples = [sample for row in rows if (sample := _sample(row))]
    groups = [sample for sample in samples if sample.kind == "cgroup"]
    if not samples:
        return None
    peak = max(map(_used, groups), default=_peak_of_processes(samples))
    return Memory(
        limit=_limit(head),
        peak=peak,
        oom_kills=_oom_kills(groups),
        growth_per_second=_growth(groups),
        largest_process=_largest(samples, peak),
        samples=len({sample.time for sample in samples}),
    )


def _sample(row: str) -> Sample | None:
    time, _, rest = row.partition("\t")
    kind, *fields = rest.split("\t")
    try:
        return Sample(float(time), kind, tuple(fields)) if kind in ("cgroup", "proc") and fields else None
    except ValueError:
        return None


def _limit(head: str) -> int:
    value = dict(part.partition("=")[::2] for part in head.split("\t")).get("limit", "0")
    # cgroup v1 writes "no limit" as the largest page-aligned number.
    return int(value) if (value.isdecimal() and len(value) < 20) and int(value) < 1 << 60 else 0


def _oom_kills(groups: list[Sample]) -> int:
    """Kills during the replay: the counter of the cgroup may have started before it."""
    return max(0, groups[-1].number(2) - groups[0].number(2)) if groups else 0


def _growth(groups: list[Sample]) -> float:
    if not groups:
        return 0.0
    top = max(groups, key=_used)
    first = next(s for s in groups if s.time >= top.time - _WINDOW)
    seconds = top.time - first.time
    return (_used(top) - first.number(0)) / seconds if seconds > 0 else 0.0


def _used(sample: Sample) -> int:
    """The peak counter sees what happened between two samples."""
    return max(sample.number(0), sample.number(1))


def _processes(samples: Iterable[Sample]) -> list[Sample]:
    return [s for s in samples if s.kind == "proc" and len(s.fields) >= 3]


def _peak_of_processes(samples: list[Sample]) -> int:
    return max((s.number(1) for s in _processes(samples)), default=0)


def _largest(samples: list[Sample], peak: int) -> str:
    largest = max(_processes(samples), key=lambda s: s.number(1), default=None)
    if largest and 4 * largest.number(1) < peak:
        return ""  # The one that held most came and went between two samples.
    return f"{largest.fields[2]} (pid {largest.fields[0]})" if largest else ""
