"""Kubernetes resource quantities: reading, adding and writing them."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "k": Fraction(10**3),
            "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12), "P": Fraction(10**15),
            "E": Fraction(10**18)}  # fmt: skip


def parse(text: str) -> Fraction:
    """``1500m`` is 3/2, ``64Mi`` is 67108864; ValueError."""
    for suffix, factor in (_BINARY | _DECIMAL).items():
        if text.endswith(suffix):
            return Fraction(text.removesuffix(suffix)) * factor
    return Fraction(text)


def whole(text: str) -> int:
    """The quantity rounded up, as Kubernetes' ``Value()``: bytes, or whole cores."""
    return ceil(parse(text))


def milli(text: str) -> int:
    """The quantity in thousandths, rounded up: ``0.5`` is 500."""
    return ceil(parse(text) * 1000)


def total(texts: Iterable[str]) -> str:
    """The sum; one quantity stays as it was written."""
    known = list(texts)
    if len(set(known)) == 1 and len(known) == 1:
        return known[0]
    return render(sum((parse(text) for text in known), Fraction(0)), any(_is_binary(t) for t in known))


def largest(texts: Iterable[str]) -> str:
    """The largest of them, as it was written."""
    return max(texts, key=parse)


def render(value: Fraction, binary: bool) -> str:
    """The canonical form: the largest suffix that leaves a whole number."""
    if value.denominator != 1:
        return f"{ceil(value * 1000)}m"
    units = _BINARY if binary else {k: int(v) for k, v in _DECIMAL.items() if v.denominator == 1}
    for suffix, factor in sorted(units.items(), key=lambda unit: -unit[1]):
        if value and value % factor == 0:
            return f"{int(value // factor)}{suffix}"
    return str(value)


def _is_binary(text: str) -> bool:
    return text.endswith("i")
