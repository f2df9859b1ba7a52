"""The frozen values at the seams of the pipeline; each is also a file of the case."""

from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = "rescue.dev/v1"

JsonObject = dict[str, Any]


class Confidence(StrEnum):
    """How far a finding may be believed; only the first two can be the verdict."""

    CERTAIN = "certain"
    LIKELY = "likely"
    HINT = "hint"


@dataclass(frozen=True)
class Owner:
    """The controller behind a pod: a Deployment rather than its ReplicaSet."""

    kind: str
    name: str


@dataclass(frozen=True)
class Target:
    """The failing container, and how it was found to be the one."""

    namespace: str
    pod: str
    container: str
    is_init: bool
    image: str
    state: str
    reason: str
    exit_code: int | None
    signal: int | None
    restarts: int
    lifetime: float | None
    owner: Owner | None
    choice: str

    @classmethod
    def from_json(cls, value: JsonObject) -> "Target":
        """The target that ``to_json`` wrote."""
        values = {f.name: value[camel(f.name)] for f in fields(cls)}
        return cls(**{**values, "owner": Owner(**values["owner"]) if values["owner"] else None})


@dataclass(frozen=True)
class Command:
    """What will be replayed, as Kubernetes takes it in ``args``: it expands ``$(VAR)``, and ``$$`` is a plain ``$``.

    ``source`` says where it was read: ``spec``, ``registry``, ``scout`` or ``arguments``; ``note`` says more.
    """

    argv: tuple[str, ...]
    source: str
    note: str = ""


@dataclass(frozen=True)
class Change:
    """One compiled RFC 6902 operation with the rule that asked for it."""

    rule: str
    why: str
    where: str
    operation: JsonObject


@dataclass(frozen=True)
class Plan:
    """A clone's manifest and every change that led to it."""

    original: JsonObject
    clone: JsonObject
    changes: tuple[Change, ...]
    command: Command
    warnings: tuple[str, ...]

    @property
    def patch(self) -> list[JsonObject]:
        """The plain RFC 6902 patch from the original to the clone."""
        return [change.operation for change in self.changes]


@dataclass(frozen=True)
class Evidence:
    """One line of proof: where it stands (``strace.log:812``) and what it says."""

    source: str
    text: str


@dataclass(frozen=True)
class Finding:
    """One named cause."""

    code: str
    title: str
    confidence: Confidence
    message: str
    advice: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Memory:
    """Memory of one replay, in bytes; 0 for a limit means none."""

    limit: int
    peak: int
    oom_kills: int
    growth_per_second: float
    largest_process: str
    samples: int


@dataclass(frozen=True)
class Replay:
    """How one run of the original command ended inside the clone."""

    command: tuple[str, ...]
    ended: str
    exit_code: int | None
    signal: str | None
    seconds: float | None
    traced: bool
    memory: Memory | None
    notes: tuple[str, ...]

    @property
    def crashed(self) -> bool:
        """True when the program ended by itself or was killed, and not by us."""
        return self.ended in ("exited", "signaled", "failed", "lost")


@dataclass(frozen=True)
class Diagnosis:
    """All findings, best first, and what could not be judged."""

    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...] = ()

    @property
    def verdict(self) -> Finding | None:
        """The best finding, if it is more than a hint."""
        best = self.findings[0] if self.findings else None
        return best if best and best.confidence is not Confidence.HINT else None


@dataclass(frozen=True)
class Report:
    """Everything a renderer needs; ``exit_code`` is the number of an ExitCode."""

    target: Target
    diagnosis: Diagnosis
    replay: Replay | None
    clone: JsonObject
    case: str
    exit_code: int
    warnings: tuple[str, ...] = field(default=())


def copied(value: Any) -> Any:
    """A JSON value whose parts are nobody else's, nor each other's: YAML's aliases share theirs."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def camel(name: str) -> str:
    """``exit_code`` becomes ``exitCode``."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def to_json(value: Any) -> Any:
    """A dataclass, or a structure of them, as camelCase JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(f.name): to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return value
