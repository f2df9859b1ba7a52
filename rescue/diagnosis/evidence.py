"""Everything a diagnosis may look at, as plain values: the case folder without its folder.

Whoever reads the case fills it; nothing here opens a file.  A file that is not there is
``b""``, ``{}`` or ``()``, so a case of a pod that was never replayed is valid too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from mmap import mmap
from typing import Any

from rescue.model import JsonObject

Buffer = bytes | mmap


@dataclass(frozen=True, kw_only=True)
class CaseFiles:
    """The inputs of a diagnosis; each field says which file of the case it holds."""

    container: str
    """Name of the failing container (case.json)."""
    command: tuple[str, ...] = ()
    """The replayed arguments (case.json)."""
    altered: Mapping[str, str] = field(default_factory=dict)
    """Volumes that the clone made ``empty`` or ``read-only`` (case.json)."""
    pod: JsonObject = field(default_factory=dict)
    """The original pod with its status (pod.json)."""
    events: tuple[JsonObject, ...] = ()
    """The v1 Events of the original pod (events.json)."""
    objects: JsonObject = field(default_factory=dict)
    """ConfigMap and Secret keys, Services, Pods, claims; never values (objects.json)."""
    clone_status: JsonObject = field(default_factory=dict)
    """``pod.status`` of the clone as last seen (clone-status.json)."""
    log: bytes = b""
    """logs/<container>.log"""
    previous_log: bytes = b""
    """logs/<container>.previous.log"""
    strace: Buffer = b""
    """replay/strace.log; may be an mmap, it is only searched and sliced."""
    strace_err: bytes = b""
    """replay/strace.err"""
    stdout: bytes = b""
    """replay/stdout"""
    stderr: bytes = b""
    """replay/stderr"""
    memory: bytes = b""
    """replay/memory.tsv"""
    end: bytes = b""
    """replay/end"""


STREAMS = {
    "strace": "replay/strace.log",
    "strace_err": "replay/strace.err",
    "stdout": "replay/stdout",
    "stderr": "replay/stderr",
    "memory": "replay/memory.tsv",
    "end": "replay/end",
}
"""Field of ``CaseFiles`` -> its file in the case, for the raw bytes of a replay."""

LOGS = {"log": "logs/{container}.log", "previous_log": "logs/{container}.previous.log"}
"""The same for the logs of the original container."""

DOCUMENTS = {
    "pod": "pod.json",
    "events": "events.json",
    "objects": "objects.json",
    "clone_status": "clone-status.json",
}
"""The same for the JSON documents."""


def case_files(case: Mapping[str, Any], files: Mapping[str, Any]) -> CaseFiles:
    """Inputs from the header of a case and its files.

    ``case`` is the value of case.json; ``files`` maps names inside the case (``pod.json``,
    ``replay/stderr``) to JSON values, bytes or an mmap.  What is missing stays empty.
    """
    container = str(case.get("container", ""))
    names = STREAMS | DOCUMENTS | {key: name.format(container=container) for key, name in LOGS.items()}
    found = {key: files[name] for key, name in names.items() if files.get(name) is not None}
    if "events" in found:
        found["events"] = tuple(found["events"])
    command, altered = tuple(case.get("command") or ()), case.get("altered") or {}
    return CaseFiles(container=container, command=command, altered=altered, **found)
