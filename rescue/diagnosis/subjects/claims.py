"""Facts about PersistentVolumeClaims that keep a pod from being scheduled or started."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rescue.diagnosis.correlate import nearest, unread
from rescue.diagnosis.facts import Subject, prefixed
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.said import Saying, sayings
from rescue.diagnosis.suspects import Suspect
from rescue.model import Evidence, JsonObject
from rescue.unstarted import preparing, waits_for_claim

_GROUP = "persistentVolumeClaims"
_NAMED = re.compile(r'persistentvolumeclaim "([^"]+)"', re.I)
_UNBOUND = re.compile(r"unbound immediate|persistent volumes to bind", re.I)


@dataclass(frozen=True)
class _Claim:
    """A claim of the pod that is not usable; ``state`` is ``missing``, ``unbound``, ``lost``, ``leaving`` or
    ``unknown``; ``volume`` is empty for one that only a message names."""

    name: str
    volume: str
    state: str
    found: JsonObject
    told: Saying | None

    @property
    def rank(self) -> int:
        """What was named comes first."""
        return (0 if self.told else 2) + (self.state == "unknown")


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """One subject: the claim that is named, or that cannot be used; the others are named in it."""
    if not recording.unstarted or not (waits_for_claim(recording.inputs.pod) or preparing(recording.inputs.pod)):
        return []
    found = sorted(_claims(recording), key=lambda claim: claim.rank)
    return [_subject(found[0], found[1:], recording)] if found else []


def _claims(recording: Recording) -> Iterator[_Claim]:
    objects, said = recording.inputs.objects, sayings(recording)
    for volume, name in _of_pod(recording.inputs.pod):
        entry = (objects.get(_GROUP) or {}).get(name)
        state = _state(entry, unread(_GROUP, objects))
        told = next((s for s in said if name in _NAMED.findall(s.text)), None)
        if told is None and state in ("unbound", "unknown"):
            told = next((s for s in said if _UNBOUND.search(s.text)), None)
        if state in ("missing", "lost", "leaving") or told:
            yield _Claim(name, volume, state, entry or {}, told)


def _of_pod(pod: JsonObject) -> Iterator[tuple[str, str]]:
    """Volume and claim; that of a generic ephemeral volume has the pod's name in front."""
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        name = str(volume.get("name"))
        if body := volume.get("persistentVolumeClaim"):
            yield name, str(body.get("claimName"))
        elif "ephemeral" in volume:
            yield name, f"{pod.get('metadata', {}).get('name')}-{name}"


def _state(entry: JsonObject | None, unknown: str) -> str:
    if entry is None:
        return "unknown" if unknown else "missing"
    if entry.get("deleted"):
        return "leaving"
    return {"Bound": "bound", "Lost": "lost"}.get(str(entry.get("phase")), "unbound")


def _subject(first: _Claim, others: list[_Claim], recording: Recording) -> Subject:
    objects = recording.inputs.objects
    names = [str(name) for name in (objects.get("names") or {}).get(_GROUP) or ()]
    words = first.found.get("events") or ()
    values = prefixed(
        "claim",
        name=first.name,
        volume=first.volume,
        state=first.state,
        told=first.told is not None,
        storage_class=first.found.get("storageClass"),
        words=str(words[-1]) if words else None,
        nearest=nearest(first.name, names),
        others=", ".join(f"{other.name} ({other.state})" for other in others),
    )
    proof = [first.told.evidence()] if first.told else []
    proof += [_proof(claim, objects) for claim in (first, *others)]
    return Subject("claim", values, tuple(dict.fromkeys(proof)))


def _proof(claim: _Claim, objects: JsonObject) -> Evidence:
    if not claim.found:
        return Evidence("objects.json", f"{_GROUP}: {unread(_GROUP, objects) or f'there is no {claim.name}'}")
    said = "; ".join(str(text) for text in claim.found.get("events") or ())
    phase = claim.found.get("phase") or "no phase"
    return Evidence("objects.json", f"{_GROUP}: {claim.name} is {phase}{': ' if said else ''}{said}"[:600])
