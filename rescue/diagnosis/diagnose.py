"""From a case to named causes: the facts of a recording, judged by the rules.

Everything here is a function of its arguments; the rules are part of the program.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rescue.diagnosis import subjects
from rescue.diagnosis.causes import Cause, fill, load
from rescue.diagnosis.evidence import CaseFiles
from rescue.diagnosis.facts import Subject
from rescue.diagnosis.recording import Recording, observe
from rescue.model import Confidence, Diagnosis, Finding, Replay

RULES = Path(__file__).parent
_LEVELS = tuple(Confidence)


@cache
def rules() -> tuple[Cause, ...]:
    """Every rule that comes with rescue; RescueError with file:line if one is wrong."""
    files = sorted(RULES.glob("*.yaml"))
    return tuple(cause for file in files for cause in load(file.read_text(encoding="utf-8"), file.name))


def examine(inputs: CaseFiles) -> tuple[Diagnosis, Replay]:
    """All findings, best first, one for each code, and what could not be judged; how the replay ended."""
    recording = observe(inputs)
    found = _judge(subjects.of(recording), rules())
    return Diagnosis(tuple(found), tuple(_not_checked(recording))), recording.replay


def _judge(found: list[Subject], causes: Iterable[Cause]) -> list[Finding]:
    causes = tuple(causes)
    hits = _hits(found, [c for c in causes if not c.fallback])
    if not any(finding.confidence is not Confidence.HINT for _, finding in hits):
        hits += _hits(found, [c for c in causes if c.fallback])
    hits.sort(key=lambda hit: (_LEVELS.index(hit[1].confidence), -hit[0].specificity))
    best: dict[str, Finding] = {}
    for _, finding in hits:
        best.setdefault(finding.code, finding)
    return list(best.values())


def _hits(found: list[Subject], causes: list[Cause]) -> list[tuple[Cause, Finding]]:
    return [
        (cause, _finding(cause, subject, level))
        for subject in found
        for cause in causes
        if cause.about == subject.about and (level := cause.judge(subject.values)) is not None
    ]


def _finding(cause: Cause, subject: Subject, level: Confidence) -> Finding:
    return Finding(
        code=cause.code,
        title=cause.title,
        confidence=level,
        message=cause.say(subject.values),
        advice=fill(cause.advice, subject.values),
        evidence=subject.evidence,
    )


def _not_checked(recording: Recording) -> list[str]:
    """What the inputs do not hold, so that silence about it is not taken for health."""
    replay = recording.replay
    unreadable = recording.inputs.objects.get("unreadable") or {}
    missing = (
        (
            not (replay.ended or recording.unstarted),
            "everything that a replay shows: none was recorded",
        ),
        (
            replay.ended not in ("", "failed") and not replay.traced,
            "files, programs and connections: the replay was not traced",
        ),
        (replay.ended not in ("", "failed") and replay.memory is None, "memory: there are no samples"),
        (not recording.inputs.pod, "the pod's status and volumes: the pod is not in the case"),
    )
    return [text for wrong, text in missing if wrong] + [f"{what}: {why}" for what, why in unreadable.items()]
