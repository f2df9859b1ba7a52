"""Pods as a real Kubernetes 1.36 API server showed them (recorded)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "sandbox" / "data" / "pods"


@cache
def recorded(name: str) -> Any:
    """One recording: first, statuses, last, events, logs."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def names() -> list[str]:
    """Every recorded pod."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))
