"""Columns and the way times are shown in them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rescue.sandbox import schema
from rescue.sandbox.objects import Object


@dataclass(frozen=True)
class Column:
    """One column; ``description`` is text, or the published field that carries it.

    Priority 0 is always shown, 1 only with ``-o wide``.
    """

    name: str
    cell: Callable[[Object, datetime], Any]
    description: str = ""
    priority: int = 0
    type: str = "string"
    format: str = ""


def plain(get: Callable[[Object], Any]) -> Callable[[Object, datetime], Any]:
    """A cell that does not depend on the time."""
    return lambda obj, _: get(obj)


def at(path: str, default: Any = "<none>") -> Callable[[Object, datetime], Any]:
    """The cell of a field like ``spec.nodeName``; ``default`` when it is absent or empty."""

    def cell(obj: Object, _: datetime) -> Any:
        value: Any = obj
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return default if value in (None, "", []) else value

    return cell


def moment(text: str) -> datetime:
    """A metav1.Time or MicroTime."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def age(text: str | None, now: datetime) -> str:
    """How long ago, as kubectl says it (k8s.io/apimachinery duration.HumanDuration)."""
    if not text:
        return "<unknown>"
    return human((now - moment(text)).total_seconds())


def human(total: float) -> str:
    """A duration with two units at most: 47s, 2m27s, 12m, 3h5m, 2d4h, 400d."""
    seconds = max(0, int(total))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    return f"{days}d" if days < 730 else _two(days // 365, "y", days % 365, "d")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}" + (f"{small}{small_unit}" if small else "")


def pairs(labels: Object | None) -> str:
    """Labels or a selector in one cell."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


_META = schema.OBJECT_META
NAME = Column("Name", at("metadata.name"), f"{_META}.name", format="name")
AGE = Column(
    "Age",
    lambda obj, now: age(obj["metadata"].get("creationTimestamp"), now),
    f"{_META}.creationTimestamp",
)
