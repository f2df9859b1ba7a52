"""Quantities of Kubernetes ("128Mi", "250m"); format: k8s.io/apimachinery resource.Quantity."""

import re
from decimal import Decimal, InvalidOperation

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
    "Ei": Decimal(2) ** 60,
}


def parse(text: str | int | float) -> Decimal:
    """The number; raises ValueError when it is not a quantity."""
    match = re.match(PATTERN, str(text))
    if not match:
        raise ValueError(text)
    number, suffix = match.groups()
    try:
        if re.fullmatch("[eE][-+]?[0-9]+", suffix):
            return Decimal(number + suffix)
        return Decimal(number) * _SUFFIXES[suffix]
    except (InvalidOperation, KeyError):
        raise ValueError(text) from None
