"""Environment variables: which one the program misses by its own words, and what the manifest has for it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rescue.diagnosis.correlate import nearest, unread
from rescue.diagnosis.exceptions import Report
from rescue.diagnosis.output import Line
from rescue.model import JsonObject

_NAME = r"(?P<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"
_ANY = r"(?P<name>[A-Za-z_][A-Za-z0-9_]+)"
_MISSING = (
    r"(?:must be (?:set|defined|provided|specified|given|configured|non-empty)|must not be (?:empty|blank)"
    r"|(?:is not|isn't|was not|are not|not) (?:set|defined|provided|specified|configured|present|found)"
    r"|(?:is |are )?(?:required|missing|unset|undefined|mandatory|empty)"
    r"|has no value|unbound variable|parameter (?:null or )?not set)"
)
_OPEN, _CLOSE = r"[\"'`$({]*", r"[\"'`)}]*"
# The first pattern that fits a line wins.
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_ANY}: (?:unbound variable|parameter (?:null or )?not set)",
        r"(?i:environment|env)[ -](?i:var\w*):? *(?i:named |called )?"
        rf"{_OPEN}{_ANY}{_CLOSE}.{{0,40}}?(?i:{_MISSING})",
        r"(?i:missing|required|undefined|unset|empty)(?i: required| mandatory)?(?i: environment| env)"
        rf"(?i:[ -]var\w*)?:? *{_OPEN}{_ANY}",
        rf"(?<![\w/.-])\$?{_NAME}{_CLOSE}(?i: (?:environment|env)(?: variable)?)?:? *(?i:{_MISSING})",
        r"(?i:missing|required|requires|you (?:must|need to)|please) *(?i:set|specify|provide|define)?:?"
        rf" *(?i:the )?(?i:value for )?{_OPEN}{_NAME}",
    )
)
# Words that can only be about a variable; "is missing" alone may tell of a field or a column.
_EXACT = re.compile(
    r"\benv(?:ironment)?\b|\bvariable\b|parameter (?:null or )?not set|\$\{?[A-Z]|\bunset\b|(?:must be|not) set\b", re.I
)
_LOOSE = re.compile(
    r"\b(?:missing|(?<!non-)empty|found|present|field|column|row|record|header|property|attribute|parameter|element|table)\b",
    re.I,
)
# The kubelet sets these for every Service (enableServiceLinks) and for the API server.
_BY_THE_KUBELET = re.compile(r"^KUBERNETES_|_SERVICE_(?:HOST|PORT)(?:_|$)|^HOSTNAME$|^PATH$")
_ITEM = re.compile(rf"\s*[-*\u2022]\s*\$?{_NAME}\b")
_HEADING = re.compile(
    r"(?:need|must|missing|required|specify|not set).*\benvironment variables?\b"
    r"|\benvironment variables? .*(?:missing|required|not set|must)",
    re.I,
)
_CAN_DO_WITHOUT = re.compile(
    r"\bdisabl(?:ed|ing)\b|\bdefault(?:s|ing)?\b|\bcontinu(?:e|ing)\b|\bassum(?:e|ing)\b", re.I
)
_NEAR_END = 6
_ENVIRONMENT = re.compile(r"environ\b|getenv|\bENV\b|process\.env|<frozen os>|System\.getenv|ENV\.fetch")
_KEY = re.compile(rf"(?:KeyError: |key not found: )[\"']{_ANY}[\"']")


@dataclass(frozen=True)
class Variable:
    """What a container's manifest has for a variable.

    ``state`` is ``unset``, ``set``, ``empty``, ``no key`` (an optional reference to a key that is not there),
    or ``unknown`` (an envFrom whose keys could not be read).
    """

    state: str
    kind: str = ""
    object: str = ""
    key: str = ""
    nearest: str = ""


def missing(lines: Sequence[Line], reports: Sequence[Report]) -> Iterator[tuple[str, Line, str]]:
    """Name, line and how surely its words are about a variable (exact, usual, loose), the last line first."""
    for report in reports:
        if report.lines_after < _NEAR_END and (key := _key_error(report)):
            yield key
    for line in lines:
        if _CAN_DO_WITHOUT.search(line.text):
            continue
        if found := next((f for pattern in _PATTERNS if (f := pattern.search(line.text))), None):
            yield found["name"], line, _words(line.text)
    yield from _listed(lines)


def _listed(lines: Sequence[Line]) -> Iterator[tuple[str, Line, str]]:
    """A heading about environment variables that are needed, then their names one a line: the first of them."""
    items = [(found["name"], line) for line in lines if (found := _ITEM.match(line.text))]
    if items and any(_HEADING.search(line.text) for line in lines):
        yield *items[-1], "usual"


def _words(text: str) -> str:
    if _EXACT.search(text):
        return "exact"
    return "loose" if _LOOSE.search(text) else "usual"


def _key_error(report: Report) -> tuple[str, Line, str] | None:
    """A lookup that failed; exact if the stack says that it was in the environment, and nothing came after it."""
    found = [(f["name"], line) for line in report.lines if (f := _KEY.search(line.text))]
    if not found:
        return None
    name, line = found[-1]
    in_environment = bool(_ENVIRONMENT.search(report.text()))
    exact = in_environment and "KeyError" in report.type
    return (name, line, "exact" if exact else "usual") if in_environment or name.isupper() else None


def state(name: str, container: JsonObject, objects: JsonObject) -> Variable:
    """What ``env`` and ``envFrom`` say about a variable; the image's own variables are not in the API."""
    entries = [dict(e) for e in container.get("env") or [] if e.get("name") == name]
    if entries:
        return _of_entry(entries[-1], objects)
    sources = [_from(dict(source), objects) for source in container.get("envFrom") or []]
    provided = {key for keys in sources for key in keys or ()}
    if name in provided:
        return Variable("set")
    if _BY_THE_KUBELET.search(name):
        return Variable("set")
    names = [str(e.get("name")) for e in container.get("env") or []]
    return Variable("unknown" if None in sources else "unset", nearest=nearest(name, sorted({*names, *provided})))


def _of_entry(entry: JsonObject, objects: JsonObject) -> Variable:
    source = entry.get("valueFrom") or {}
    for field, kind, group in (("secretKeyRef", "Secret", "secrets"), ("configMapKeyRef", "ConfigMap", "configMaps")):
        if reference := source.get(field):
            owner, key = str(reference.get("name")), str(reference.get("key"))
            keys = (objects.get(group) or {}).get(owner) or []
            absent = not unread(group, objects) and key not in keys
            return Variable("no key" if absent else "set", kind, owner, key, nearest(key, list(keys)) if absent else "")
    return Variable("set" if source or entry.get("value") else "empty")


def _from(source: JsonObject, objects: JsonObject) -> list[str] | None:
    """The variables of one envFrom source; None when its keys could not be read."""
    field, group = ("secretRef", "secrets") if "secretRef" in source else ("configMapRef", "configMaps")
    if unread(group, objects):
        return None
    owner = str((source.get(field) or {}).get("name"))
    return [f"{source.get('prefix') or ''}{key}" for key in (objects.get(group) or {}).get(owner) or []]
