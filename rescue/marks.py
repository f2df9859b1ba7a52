"""What tells our pods from all others: label, annotations and name, which must agree.  Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

from rescue.model import JsonObject
from rescue.placeholders import MANAGED_BY, SUFFIX_LENGTH, clone_name

LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # as Kubernetes' own suffixes: no vowels, so no words
SELECTOR = f"{MANAGED_BY}=rescue"
SOURCE_POD, SOURCE_UID = "rescue.dev/source-pod", "rescue.dev/source-uid"
SOURCE_CONTAINER, USER, EXPIRES = "rescue.dev/source-container", "rescue.dev/user", "rescue.dev/expires"
ANNOTATIONS = (SOURCE_POD, SOURCE_UID, SOURCE_CONTAINER, USER, EXPIRES)
_SUFFIX = re.compile(f"[{LETTERS}]{{{SUFFIX_LENGTH}}}")


@dataclass(frozen=True)
class Mark:
    """One of our pods, as its marks describe it."""

    namespace: str
    name: str
    uid: str
    version: str
    phase: str
    source_pod: str
    source_container: str
    user: str
    created: datetime
    expires: datetime


def why_not_ours(pod: JsonObject) -> str:
    """Why a pod was not made by rescue, for a sentence after ``because``; empty when all its marks agree."""
    metadata = pod["metadata"]
    if (metadata.get("labels") or {}).get(MANAGED_BY) != "rescue":
        return f"it has no label {SELECTOR}"
    annotations = metadata.get("annotations") or {}
    missing = [name for name in ANNOTATIONS if name not in annotations]
    if missing:
        return f"it has no annotation {missing[0]}"
    if _moment(annotations[EXPIRES]) is None:
        return f"its annotation {EXPIRES} is no time: {annotations[EXPIRES]!r}"
    suffix = metadata["name"][-SUFFIX_LENGTH:]
    if not _SUFFIX.fullmatch(suffix) or metadata["name"] != clone_name(annotations[SOURCE_POD], suffix):
        return f"its name is not that of a clone of {annotations[SOURCE_POD]!r}"
    return ""


def read(pod: JsonObject) -> Mark:
    """The marks of a pod that is ours."""
    metadata, annotations = pod["metadata"], pod["metadata"]["annotations"]
    phase = (pod.get("status") or {}).get("phase", "Unknown")
    return Mark(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        phase="Terminating" if "deletionTimestamp" in metadata else phase,
        source_pod=annotations[SOURCE_POD],
        source_container=annotations[SOURCE_CONTAINER],
        user=annotations[USER],
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        expires=datetime.fromisoformat(annotations[EXPIRES]),
    )


def _moment(text: str) -> datetime | None:
    """The moment that a text with a time zone means."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
