"""A case: a folder with what is applied (manifest.yaml) and what rescue must say (expect.yaml)."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Expectation:
    """The contents of expect.yaml.

    ``message`` and ``evidence`` are texts that the verdict's message (or advice) and its evidence must hold;
    ``output`` texts that must stand anywhere in the JSON, ``absent`` texts that must not. ``replay`` is null where no
    clone may be made. ``requires`` names what the cluster needs for the case; only ``default-storage-class`` is known.
    """

    why: str
    selector: str
    verdict: dict[str, str] | None
    container: str = ""
    state: str = "CrashLoopBackOff"
    arguments: tuple[str, ...] = ()
    exit: int = 0
    findings: tuple[str, ...] = ()
    message: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    replay: dict[str, Any] | None = field(default_factory=dict)
    requires: str = ""
    namespaceLabels: dict[str, str] = field(default_factory=dict)  # noqa: N815  # as Kubernetes spells it


@dataclass(frozen=True)
class Case:
    """One crash: its name, the objects to create, and what must come of it."""

    name: str
    objects: tuple[dict[str, Any], ...]
    expect: Expectation


def load_cases(folder: Path = FOLDER) -> list[Case]:
    """Every case below ``folder``, by name; a misspelt key of expect.yaml is an error."""
    return [_load(path) for path in sorted(folder.iterdir()) if path.is_dir()]


def load_objects(path: Path) -> tuple[dict[str, Any], ...]:
    """The documents of one YAML file."""
    return tuple(YAML(typ="safe").load_all(path))


def _load(folder: Path) -> Case:
    document: dict[str, Any] = YAML(typ="safe").load(folder / "expect.yaml")
    unknown = document.keys() - {entry.name for entry in fields(Expectation)}
    if unknown:
        raise ValueError(f"{folder / 'expect.yaml'}: unknown keys {sorted(unknown)}")
    values: dict[str, Any] = {key: _frozen(value) for key, value in document.items()}
    return Case(folder.name, load_objects(folder / "manifest.yaml"), Expectation(**values))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
