"""Facts about each thing that a rule can judge, drawn from one recording."""

from collections.abc import Callable

from rescue.diagnosis.facts import Subject
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.subjects import (
    attempts,
    claims,
    creation,
    endings,
    files,
    images,
    network,
    programs,
    references,
    refusals,
    steps,
    whole,
)
from rescue.diagnosis.suspects import Suspect, find

_BUILDERS: tuple[Callable[[Recording, list[Suspect]], list[Subject]], ...] = (
    files.subjects,
    programs.subjects,
    network.subjects,
    endings.subjects,
    refusals.subjects,
    steps.subjects,
    attempts.subjects,
    references.subjects,
    claims.subjects,
    images.subjects,
    creation.subjects,
)


def of(recording: Recording) -> list[Subject]:
    """Every subject, best of its kind first; each carries the facts of the whole replay too."""
    suspects = find(recording)
    shared = whole.facts(recording)
    found = [subject for build in _BUILDERS for subject in build(recording, suspects)]
    found += [Subject("run", {}, whole.last_words(recording))]
    return [Subject(s.about, {**shared, **s.values}, s.evidence) for s in found]
