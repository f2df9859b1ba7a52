"""Resource quantities added up, compared and rounded, as the kubelet does with those of containers."""

from collections.abc import Iterable
from decimal import Decimal
from math import ceil

from rescue.quantity import parse

_BINARY = {"Ei": 2**60, "Pi": 2**50, "Ti": 2**40, "Gi": 2**30, "Mi": 2**20, "Ki": 2**10}
_DECIMAL = {"E": 10**18, "P": 10**15, "T": 10**12, "G": 10**9, "M": 10**6, "k": 10**3}


def whole(text: str) -> int:
    """The quantity rounded up, as Kubernetes' ``Value()``: bytes, or whole cores."""
    return ceil(parse(text))


def milli(text: str) -> int:
    """The quantity in thousandths, rounded up: ``0.5`` is 500."""
    return ceil(parse(text) * 1000)


def total(texts: Iterable[str]) -> str:
    """The sum in its canonical form; one quantity alone stays as it was written."""
    known = list(texts)
    if len(known) == 1:
        return known[0]
    binary = any(text.endswith("i") for text in known)
    return _canonical(sum((parse(text) for text in known), Decimal(0)), _BINARY if binary else _DECIMAL)


def largest(texts: Iterable[str]) -> str:
    """The largest of them, as it was written."""
    return max(texts, key=parse)


def _canonical(value: Decimal, units: dict[str, int]) -> str:
    """The largest suffix that leaves a whole number; thousandths for a fraction."""
    if value % 1:
        return f"{ceil(value * 1000)}m"
    for suffix, factor in units.items():
        if value and value % factor == 0:
            return f"{int(value // factor)}{suffix}"
    return str(int(value))
