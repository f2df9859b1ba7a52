"""Facts about a container that kubelet or runtime refuse to make, and about a pod whose ground is not laid."""

import re
from collections.abc import Iterator

from rescue.diagnosis.correlate import volume_kind
from rescue.diagnosis.facts import Subject, Value, prefixed
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.said import Saying, sayings
from rescue.diagnosis.suspects import Suspect
from rescue.unstarted import CONFIG_REASONS, preparing

# Words of kubelet, containerd, CRI-O and Docker about one container; the first that fits.
_REFUSALS = tuple(
    (problem, re.compile(pattern, re.I))
    for problem, pattern in (
        ("root", r"runAsNonRoot and image will run as root|runAsUser breaks non-root policy"),
        ("user name", r"image has non-numeric user \((?P<user>[^)]*)\)"),
        ("sub path", r'failed to (?:prepare|create) subPath(?: directory)? for volumeMount "(?P<volume>[^"]+)"'),
        ("no volume", r'cannot find volume "(?P<volume>[^"]+)" to mount'),
        ("name taken", r"failed to reserve container name|is reserved for|container name .*already in use"
            r"|error reserving ctr name"),
        ("no command", r"no command specified"),
        ("slow", r"context deadline exceeded|DeadlineExceeded"),
        ("cache", r"failed to sync (?:configmap|secret) cache|object \S+ not registered"),
    )
)  # fmt: skip
# What the kubelet and the attach controller say before any container.
_GROUND = (
    ("in use", ("FailedAttachVolume",), re.compile(r'Multi-Attach error for volume "(?P<volume>[^"]+)"')),
    ("volume", ("FailedMount", "FailedAttachVolume"), re.compile(r'for volume "(?P<volume>[^"]+)"')),
    ("volume", ("FailedMount", "FailedAttachVolume"), re.compile(r"unmounted volumes=\[(?P<volume>[^\s\]]+)")),
    ("sandbox", ("FailedCreatePodSandBox",), re.compile("")),
)
_CACHE = re.compile(r"failed to sync (?:configmap|secret) cache|object \S+ not registered", re.I)


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """What keeps the container, or its whole pod, from being made: one subject, by the words that say most."""
    if not recording.unstarted:
        return []
    if preparing(recording.inputs.pod):
        return list(_ground(recording))[:1]
    if recording.container.waiting.get("reason") in CONFIG_REASONS:
        return [_refusal(recording)]
    return []


def _refusal(recording: Recording) -> Subject:
    said = [s for s in sayings(recording) if s.reason in (*CONFIG_REASONS, "Failed")]
    for saying in said:
        for problem, pattern in _REFUSALS:
            if found := pattern.search(saying.text):
                return _subject(recording, problem, saying, found.groupdict(""))
    reason = str(recording.container.waiting.get("reason"))
    return _subject(recording, "other", said[0] if said else Saying(reason, "", "pod.json"), {})


def _ground(recording: Recording) -> Iterator[Subject]:
    said = sayings(recording)
    for problem, reasons, pattern in _GROUND:
        for saying in said:
            if saying.reason in reasons and (found := pattern.search(saying.text)):
                what = "cache" if problem == "volume" and _CACHE.search(saying.text) else problem
                yield _subject(recording, what, saying, found.groupdict(""))


def _subject(recording: Recording, problem: str, saying: Saying, found: dict[str, str]) -> Subject:
    container = recording.container
    volume = found.get("volume", "")
    mounts = [m for m in container.spec.get("volumeMounts") or () if m.get("name") == volume]
    values: dict[str, Value] = prefixed(
        "creation",
        problem=problem,
        words=saying.text[:600],
        user=found.get("user") or None,
        set_at=_set_at(recording),
        volume=volume or None,
        volume_kind=volume_kind(container, volume),
        sub_path=next((str(m.get("subPath") or m.get("subPathExpr") or "") for m in mounts), "") or None,
    )
    return Subject("creation", values, (saying.evidence(),))


def _set_at(recording: Recording) -> str:
    """Where runAsNonRoot is set: the container's own word counts more than the pod's."""
    container = recording.container
    own = (container.spec.get("securityContext") or {}).get("runAsNonRoot")
    return "the pod's securityContext" if own is None else f"the securityContext of container {container.name}"
