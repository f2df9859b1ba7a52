"""Random and hashed name parts as Kubernetes makes them."""

import random
from hashlib import sha256
from typing import Any

# k8s.io/apimachinery rand: no vowels, no 0, 1 or 3, so that no word appears.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def random_suffix(length: int = 5) -> str:
    """``length`` random characters, for generateName and volume names."""
    return "".join(random.choices(ALPHABET, k=length))


def shown_name(metadata: dict[str, Any]) -> str:
    """The name by which admission speaks of an object that may not have one yet."""
    return str(metadata.get("name") or metadata.get("generateName") or "Unknown")


def hash_suffix(text: str, length: int = 10) -> str:
    """A stable name part of ``text``: the same template always gives the same pod-template-hash."""
    digest = int.from_bytes(sha256(text.encode()).digest()[:8])
    letters = []
    for _ in range(length):
        digest, index = divmod(digest, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)
