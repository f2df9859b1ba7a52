"""Facts about files that could not be used, with the volume and the key behind each path."""

import re

from rescue.diagnosis import correlate, output
from rescue.diagnosis.correlate import Key, Place
from rescue.diagnosis.facts import Subject, Value, prefixed
from rescue.diagnosis.output import Line
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.suspects import Suspect, evidence
from rescue.model import Evidence

_MOST = 12
_MOST_NAMED = 2  # A line with more paths tells where was looked, not what is wrong.
_TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
_RELATIVE = re.compile(
    r"(?:open|stat|chdir|mkdir|read|load|access|file) +['\"]?((?:\./)?[\w-]+(?:[/.][\w.-]+)+)['\"]?:? ", re.I
)
_MOUNT = re.compile(r"to rootfs at \\?\"?(/[^\"\\\s]+)")
_SPACE = ("ENOSPC", "EDQUOT")
_VAGUE = re.compile(
    r"not found|missing|(?:cannot|can't|could ?n[o']t|unable to|failed to) (?:open|find|read|load|access|write)", re.I
)


def subjects(recording: Recording, suspects: list[Suspect]) -> list[Subject]:
    """Failing calls first, then paths that only the program's words name."""
    calls = [s for s in suspects if s.kind == "file"][:_MOST]
    seen = {(s.path, s.call.errno) for s in calls if s.dying}
    programs = {s.path for s in suspects if s.kind == "program"}
    told = [
        t for t in (*_mount_error(recording), *_told(recording)) if (t[0], t[1]) not in seen and t[0] not in programs
    ]
    return [
        *(_from_call(recording, s) for s in calls if s.call.errno not in _SPACE),
        *(_from_words(recording, *t) for t in told),
        *_configured(recording),
        *(_space(recording, s) for s in calls if s.call.errno in _SPACE),
    ]


def _from_call(recording: Recording, suspect: Suspect) -> Subject:
    call = suspect.call
    creating = "O_CREAT" in call.args or call.name in ("mkdir", "mkdirat", "bind")
    user = recording.trace.process(call.pid).uid or recording.container.user
    values = prefixed(
        "file", call=call.name, support=suspect.support, calls_left=suspect.calls_left, creating=creating, user=user
    )
    place = correlate.place(suspect.path, recording.container)
    return _subject(recording, place, call.errno, values, evidence(recording.trace, suspect))


def _from_words(recording: Recording, path: str, errno: str, line: Line) -> Subject:
    support = "mentioned" if recording.failed else "none"
    last = line in recording.output.last or line.source == "pod.json"
    if not recording.replay.traced and recording.failed and last:
        support = "named"
    values = prefixed("file", call="", support=support, creating=False, user=recording.container.user)
    return _subject(recording, correlate.place(path, recording.container), errno, values, (line.evidence(),))


def _subject(
    recording: Recording, place: Place, errno: str, own: dict[str, Value], proof: tuple[Evidence, ...]
) -> Subject:
    key = correlate.key(place, recording.inputs.objects)
    original = recording.output.original_says(place.path, errno)
    values = (
        own
        | _place(recording, place, key)
        | prefixed(
            "file",
            errno=errno,
            vague=any(_is_vague(line.text, errno) for line in recording.output.last),
            original_said=original is not None,
        )
    )
    extra = (*_key_evidence(key), *([original.evidence()] if original and original.evidence() not in proof else []))
    return Subject("file", values, (*proof, *extra))


def _is_vague(text: str, errno: str) -> bool:
    """The text tells of something missing or closed, and does not name it."""
    if output.spells(errno, text):
        return not output.paths(text)
    return bool(_VAGUE.search(text)) and not re.search(r"[\"'`/]|\w\.\w|\w:\d", text)


def _place(recording: Recording, place: Place, key: Key | None) -> dict[str, Value]:
    source = place.sources[0] if place.sources else None
    mode = (key.mode if key else None) or (source.mode if source else None)
    return prefixed(
        "file",
        path=place.path,
        volume=place.kind,
        volume_name=place.volume,
        mount=place.mount,
        sub_path=bool(place.sub_path),
        mount_read_only=place.read_only,
        altered=recording.inputs.altered.get(place.volume, "nothing"),
        root_read_only=recording.container.read_only_root,
        object=key.object if key else (source.name if source else ""),
        object_kind=key.kind if key else place.kind,
        key=key.name if key else None,
        key_state=key.state if key else None,
        nearest_key=key.nearest if key else None,
        keys=", ".join(key.keys[:12]) if key else None,
        mode=f"{mode:04o}" if mode is not None else None,
        fs_group=recording.container.fs_group,
        is_token=place.path.replace("/run/", "/var/run/", 1).startswith(_TOKENS) or place.path.startswith(_TOKENS),
    )


def _key_evidence(key: Key | None) -> list[Evidence]:
    if key is None or key.state in ("present", "unknown"):
        return []
    has = f"keys: {', '.join(key.keys[:12]) or 'none'}" if key.state != "no object" else "no such object"
    return [Evidence("objects.json", f"{key.kind} {key.object}: {has}")]


def _told(recording: Recording) -> list[tuple[str, str, Line]]:
    """Path, errno and line for each of the last lines that says both; the last first."""
    found: dict[tuple[str, str], Line] = {}
    for errno, line in recording.output.errors():
        if errno in ("ENOENT", "EACCES", "EPERM", "EROFS", "EISDIR", "ENOTDIR"):
            named = _paths(recording, line.text) or (_empty_sub_paths(recording) if errno == "EISDIR" else [])
            if len(named) <= _MOST_NAMED:
                found |= {(path, errno): line for path in named[-1:]}
    return [(path, errno, line) for (path, errno), line in reversed(found.items())]


def _paths(recording: Recording, text: str) -> list[str]:
    found = [path for path in output.paths(text) if not _speaks(path, text)]
    relative = _RELATIVE.search(text) if not found else None
    directory = recording.container.working_directory
    return found or ([f"{directory.rstrip('/')}/{relative[1].removeprefix('./')}"] if relative and directory else [])


def _configured(recording: Recording) -> list[Subject]:
    """Paths in the command line or the environment that stand for a key that is not there.

    A look at a file's status is not traced, so a program that merely tests for it leaves only vague words.
    """
    spec = recording.container.spec
    given = [("command", word) for word in recording.inputs.command]
    given += [("env", f"{e['name']}={e['value']}") for e in spec.get("env") or [] if e.get("value")]
    found = {path: (where, text) for where, text in given for path in output.paths(text.replace("=", " "))}
    return [
        subject
        for path, (where, text) in found.items()
        if not recording.trace.calls(f'"{path}"'.encode(), ("open", "openat"), 1)
        and (subject := _from_setting(recording, path, Evidence("pod.json", f"{where}: {text}"[:300])))
    ]


def _from_setting(recording: Recording, path: str, proof: Evidence) -> Subject | None:
    place = correlate.place(path, recording.container)
    key = correlate.key(place, recording.inputs.objects)
    if key is None or key.state not in ("absent", "no object"):
        return None
    support = "configured" if recording.failed else "none"
    values = prefixed("file", call="", support=support, creating=False, user=recording.container.user)
    return _subject(recording, place, "ENOENT", values, (proof,))


def _empty_sub_paths(recording: Recording) -> list[str]:
    """Mounts whose subPath is no key, hence a folder: reading one fails with no path in the words."""
    mounts = [m for m in recording.container.spec.get("volumeMounts") or [] if m.get("subPath")]
    paths = [str(m["mountPath"]) for m in mounts]
    keys = [correlate.key(correlate.place(p, recording.container), recording.inputs.objects) for p in paths]
    return [path for path, key in zip(paths, keys, strict=True) if key and key.state in ("absent", "no object")]


def _mount_error(recording: Recording) -> list[tuple[str, str, Line]]:
    """A mount that the runtime refused: the container never started, and the kubelet says why."""
    states = (recording.container.last_end, recording.container.waiting)
    told = [(str(s.get("message", "")), str(s.get("reason"))) for s in states]
    return [
        (found[1], "ENOTDIR", Line("pod.json", f"{reason}: {text}"))
        for text, reason in told
        if (found := _MOUNT.search(text)) and output.spells("ENOTDIR", text)
    ]


def _speaks(path: str, text: str) -> bool:
    """The path is the program that speaks: ``/usr/bin/env: 'x': No such file``."""
    words = text.strip()
    return words.startswith(path + ": ") and not any(
        output.starts_with_error(errno, words[len(path) + 2 :]) for errno in output.ERRORS
    )


def _space(recording: Recording, suspect: Suspect) -> Subject:
    values = prefixed("space", path=suspect.path, support=suspect.support)
    return Subject("space", values, evidence(recording.trace, suspect))
