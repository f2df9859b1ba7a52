"""Facts about the ConfigMaps, Secrets and keys that a container misses before it can be started."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rescue.diagnosis.correlate import unread
from rescue.diagnosis.facts import Subject, prefixed
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.references import GROUPS, Reference, State, of_pod, state
from rescue.diagnosis.said import Saying, sayings
from rescue.diagnosis.suspects import Suspect
from rescue.model import Evidence, JsonObject
from rescue.unstarted import preparing

_KINDS = {"configmap": "ConfigMap", "config": "ConfigMap", "secret": "Secret"}
# pkg/kubelet/kubelet_pods.go, pkg/volume/{configmap,secret,projected} of Kubernetes.
_NO_OBJECT = re.compile(r'\b(?P<kind>configmap|secret)s? "(?P<object>[^"]+)" not found', re.I)
_NO_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) [^/\s]+/(?P<object>[^\s,\]]+)", re.I
)
_NO_FILE = re.compile(r"references non-existent (?P<kind>config|secret) key: (?P<key>[^\s,\]]+)")
_VOLUME = re.compile(r'for volume "(?P<volume>[^"]+)"')
_MOST_KEYS, _MOST_OTHERS = 12, 8


@dataclass(frozen=True)
class _Told:
    """What one message misses; fields that it does not say are empty."""

    kind: str
    object: str
    key: str
    volume: str
    saying: Saying
    order: int

    def names(self, reference: Reference) -> bool:
        """Whether the message is about this reference."""
        said = ((self.object, reference.object), (self.volume, reference.volume), (self.key, reference.key))
        return self.kind == reference.kind and all(mine in ("", theirs) for mine, theirs in said)


@dataclass(frozen=True)
class _Missing:
    """A reference with what the cluster has for it, and the message that names it, if one does."""

    reference: Reference
    state: State
    told: _Told | None
    blocks: bool

    @property
    def rank(self) -> tuple[int, int]:
        """What the kubelet names comes first, what it would meet next after it; what is there by now is last."""
        if self.told:
            return {"unknown": 1, "there": 3}.get(self.state.word, 0), self.told.order
        return (2 if self.blocks else 4), 0

    @property
    def lacking(self) -> bool:
        """It is not there, as far as anybody can tell."""
        return self.state.missing or (self.told is not None and self.state.word == "unknown")

    @property
    def what(self) -> str:
        """``Secret db`` or ``key url of Secret db``."""
        owner = f"{self.reference.kind} {self.reference.object}".strip()
        lacking = self.reference.key and (self.state.word == "no key" or (self.told and self.told.key))
        return f"key {self.reference.key} of {owner}" if lacking else owner


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """One subject: the reference that the kubelet names, or meets first; the others are named in it."""
    found = sorted(_missing(recording), key=lambda missing: missing.rank) if recording.unstarted else []
    return [_subject(found[0], found[1:], recording.inputs.objects)] if found else []


def _missing(recording: Recording) -> Iterator[_Missing]:
    objects, told = recording.inputs.objects, _told(sayings(recording))
    references = of_pod(recording.inputs.pod)
    for reference in references:
        names = next((t for t in told if t.names(reference)), None)
        now = state(reference, objects)
        if reference.optional or not (names or (now.missing and reference.mounted)):
            continue
        yield _Missing(reference, now, names, _blocks(recording, reference))
    for stranger in told:
        if not any(stranger.names(reference) for reference in references):
            reference = Reference(stranger.kind, stranger.object, stranger.key, "", "", volume=stranger.volume)
            yield _Missing(reference, State("unknown"), stranger, False)


def _told(messages: list[Saying]) -> list[_Told]:
    """What the messages miss, each once, in their order."""
    found: dict[tuple[str, str, str], _Told] = {}
    for saying in messages:
        volume = match["volume"] if (match := _VOLUME.search(saying.text)) else ""
        for pattern in (_NO_OBJECT, _NO_KEY, _NO_FILE):
            for match in pattern.finditer(saying.text):
                part = match.groupdict("")
                kind = _KINDS[part["kind"].casefold()]
                told = _Told(kind, part.get("object", ""), part.get("key", ""), volume, saying, len(found))
                found.setdefault((kind, told.object, told.key), told)
    return list(found.values())


def _blocks(recording: Recording, reference: Reference) -> bool:
    """Whether the kubelet cannot get past it: volumes come before every container, variables before their own."""
    if preparing(recording.inputs.pod):
        return bool(reference.volume)
    waiting = recording.container.waiting
    refused = waiting.get("reason") == "CreateContainerConfigError" and not waiting.get("message")
    return refused and reference.container == recording.container.name


def _subject(first: _Missing, others: list[_Missing], objects: JsonObject) -> Subject:
    reference, now = first.reference, first.state
    names = dict.fromkeys(
        f"{other.what} ({other.reference.by or 'the kubelet names it'})" for other in others if other.lacking
    )
    values = prefixed(
        "reference",
        kind=reference.kind,
        object=reference.object,
        key=reference.key if first.what.startswith("key ") else "",
        by=reference.by,
        state=now.word,
        told=first.told is not None,
        blocks=first.blocks,
        nearest=now.nearest,
        keys=", ".join(now.keys[:_MOST_KEYS]) + (", …" if len(now.keys) > _MOST_KEYS else ""),
        others="; ".join(list(names)[:_MOST_OTHERS]),
    )
    proof = [*([first.told.saying.evidence()] if first.told else []), *_proof(first, objects)]
    proof += [line for other in others[:_MOST_OTHERS] if other.lacking for line in _proof(other, objects)]
    return Subject("reference", values, tuple(dict.fromkeys(proof)))


def _proof(missing: _Missing, objects: JsonObject) -> Iterator[Evidence]:
    """The line of the manifest, and what was found in the cluster."""
    reference, group = missing.reference, GROUPS[missing.reference.kind]
    if reference.where:
        key = f", key {reference.key}" if reference.key else ""
        yield Evidence("pod.json", f"{reference.where}: {reference.object}{key}")
    if missing.state.word == "no object":
        yield Evidence("objects.json", f"{group}: there is no {reference.object}")
    elif missing.state.word == "unknown":
        yield Evidence("objects.json", f"{group}: {unread(group, objects) or f'{reference.object} was not looked up'}")
    else:
        yield Evidence("objects.json", f"{group}: {reference.object} has {', '.join(missing.state.keys) or 'no keys'}")
