"""Tars written byte for byte: the same entries always give the same bytes, whoever writes them and when."""

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One member: a file (from bytes or from a path), a symbolic link, or a directory."""

    path: str
    content: bytes | Path | None = None
    link: str = ""
    mode: int = 0o755


def pack(entries: Iterable[Entry]) -> bytes:
    """A tar of ``entries`` and of every directory above them, sorted, owned by root, dated 1970."""
    members = {entry.path.lstrip("/"): entry for entry in entries}
    for path in list(members):
        for parent in list(Path(path).parents)[:-1]:
            members.setdefault(str(parent), Entry(str(parent)))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(members):
            _add(tar, path, members[path])
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, path: str, entry: Entry) -> None:
    header = tarfile.TarInfo(path)
    header.mode = entry.mode
    if entry.link:
        header.type, header.linkname = tarfile.SYMTYPE, entry.link
        tar.addfile(header)
    elif entry.content is None:
        header.type = tarfile.DIRTYPE
        tar.addfile(header)
    else:
        content = entry.content.read_bytes() if isinstance(entry.content, Path) else entry.content
        header.size = len(content)
        tar.addfile(header, io.BytesIO(content))
