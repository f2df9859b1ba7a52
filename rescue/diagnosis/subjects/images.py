"""Facts about an image that the node cannot get: what the registry said, and which pull secrets there are."""

import re

from rescue.credentials import location, matches
from rescue.diagnosis.correlate import nearest, unread
from rescue.diagnosis.facts import Subject, prefixed
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.said import Saying, sayings
from rescue.diagnosis.suspects import Suspect
from rescue.image import Reference, parse
from rescue.model import Evidence, JsonObject
from rescue.unstarted import IMAGE_REASONS

_BACK_OFF = re.compile(r'^(?:Back-off pulling image "[^"]*"|Error: \w+)$')
_NO_SECRET = re.compile(r"Unable to retrieve some image pull secrets \(([^)]*)\)")

# Words of containerd, CRI-O, Docker and of registries; the first that fits. ``absent or denied``: a registry that
# does not tell strangers what it has.
_PROBLEMS = tuple(
    (problem, re.compile(pattern, re.I))
    for problem, pattern in (
        ("name", r"couldn't parse image (?:name|reference)|invalid reference format"),
        ("never", r"is not present with pull policy of Never"),
        ("platform", r"no match for platform|no image found in (?:manifest list|image index)|used on this platform"),
        ("space", r"no space left on device"),
        ("rate", r"\b429\b|toomanyrequests|too many requests|pull rate limit"),
        ("tls", r"x509:|tls: (?!.*timeout)|HTTP response to HTTPS client|certificate"),
        ("absent or denied", r"repository does not exist or may require|insufficient_scope"),
        ("denied", r"\b40[13]\b|unauthorized|forbidden|\bdenied\b|no basic auth|authentication req|not authorized"),
        ("absent", r"not found|manifest unknown|manifest_unknown|name unknown|name_unknown|\b404\b|no such image"),
        ("unreachable", r"no such host|server misbehaving|connection (?:refused|reset)|no route to host|network is unr"
            r"|i/o timeout|time(?:d )?out|deadline exceeded|proxyconnect|dial tcp|\bEOF\b|RegistryUnavailable"),
        ("server", r"\b50[0-4]\b|internal server error|bad gateway|service unavailable"),
        ("signature", r"signature|image rejected"),
    )
)  # fmt: skip


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """The image of a container that waits for it, with the words that say most."""
    reason = recording.container.waiting.get("reason")
    if not recording.unstarted or reason not in IMAGE_REASONS:
        return []
    said = sayings(recording)
    words = [s for s in said if s.text and (s.source == "pod.json" or "image" in s.text)]
    image = str(recording.container.spec.get("image", ""))
    first = words[0] if words else Saying(str(reason), "", "pod.json")
    telling = next((s for s in words if _problem(s, image)), first)
    reference = parse(image)
    secrets, gap = _pull_secrets(recording, reference, said)
    values = prefixed(
        "image",
        name=image,
        registry=reference.host,
        problem=_problem(telling, image) or "other",
        words=_plain(telling.text),
        lookup="lookup" in telling.text,
        policy=str(recording.container.spec.get("imagePullPolicy", "")),
        secrets=secrets,
        secrets_gap=gap,
    )
    return [Subject("image", values, tuple(dict.fromkeys((telling.evidence(), *_secrets_proof(recording, said)))))]


def _problem(saying: Saying, image: str) -> str:
    """What is wrong; empty for a message that says nothing of it. Names are no words of the registry."""
    if _BACK_OFF.match(saying.text):
        return ""
    text = re.sub(r'"[^"]*"', '""', saying.text).replace(image, "")
    return next((problem for problem, pattern in _PROBLEMS if pattern.search(text)), "")


def _plain(text: str) -> str:
    """The words without what the kubelet and gRPC put in front of them."""
    inner = re.sub(r'^(?:Back-off pulling image "[^"]*": (?:\w+: )?|Failed to pull image "[^"]*": )', "", text)
    return re.sub(r"^rpc error: code = \w+ desc = ", "", inner)[:600]


def _pull_secrets(recording: Recording, image: Reference, said: list[Saying]) -> tuple[str, str]:
    """What there is to log in with, in a sentence; and the gap: none, missing, other registry, or empty."""
    names = _named(recording)
    if not names:
        return "The pod names no imagePullSecrets.", "none"
    have, why = _known(recording)
    absent = [name for name in names if name in _lost(said) or (not why and name not in have)]
    if absent:
        near = nearest(absent[0], [str(n) for n in (recording.inputs.objects.get("names") or {}).get("secrets") or ()])
        similar = f" The nearest Secret is {near}." if near else ""
        return f"Its imagePullSecrets name a Secret that does not exist: {', '.join(absent)}.{similar}", "missing"
    if why:
        return f"Its imagePullSecrets ({', '.join(names)}) could not be read.", ""
    keys = sorted({str(key) for name in names for key in have[name].get("registries") or ()})
    if not any(matches(location(key), image) for key in keys):
        return f"Its imagePullSecrets ({', '.join(names)}) are for: {', '.join(keys) or 'no registry'}.", "other"
    return f"Its imagePullSecrets ({', '.join(names)}) hold a login for {image.host}.", ""


def _named(recording: Recording) -> list[str]:
    secrets = (recording.inputs.pod.get("spec") or {}).get("imagePullSecrets") or ()
    return [str(entry.get("name")) for entry in secrets]


def _known(recording: Recording) -> tuple[dict[str, JsonObject], str]:
    """The pull secrets that were read, and why some were not."""
    objects = recording.inputs.objects
    return objects.get("imagePullSecrets") or {}, unread("imagePullSecrets", objects)


def _lost(said: list[Saying]) -> set[str]:
    """Pull secrets that the kubelet could not find."""
    found = (match[1] for saying in said if (match := _NO_SECRET.search(saying.text)))
    return {name.strip() for names in found for name in names.split(",")}


def _secrets_proof(recording: Recording, said: list[Saying]) -> list[Evidence]:
    """The kubelet's complaint about a pull secret, and what was found of each."""
    lines = [saying.evidence() for saying in said if _NO_SECRET.search(saying.text)]
    have, why = _known(recording)
    for name in _named(recording):
        found = have.get(name)
        state = f"for {', '.join(found.get('registries') or ()) or 'no registry'}" if found else why or "not there"
        lines.append(Evidence("objects.json", f"imagePullSecrets: {name}: {state}"))
    return lines
