"""Files that change all at once: the ``..data`` layout of the kubelet's AtomicWriter."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from rescue.sandbox.kubelet.payload import Files

DATA = "..data"


def write(folder: Path, files: Files, owner: tuple[int, int]) -> bool:
    """Make ``folder`` show exactly ``files``, owned by (uid, gid); false when it did already.

    Layout: ``..<time>/`` holds the files, ``..data`` points there, and each top-level name points into
    ``..data``; one rename switches them all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    if _current(folder) == _shown(files):
        return False
    fresh = folder / f"..{datetime.now(UTC):%Y_%m_%d_%H_%M_%S}.{os.urandom(5).hex()}"
    _fill(fresh, files, owner)
    old = _target(folder)
    _point(folder, fresh.name)
    _link(folder, {path.split("/")[0] for path in files})
    if old:
        shutil.rmtree(folder / old)
    return True


def _fill(fresh: Path, files: Files, owner: tuple[int, int]) -> None:
    fresh.mkdir()
    fresh.chmod(0o755)
    for path, file in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        os.chown(target, *owner)
        target.chmod(file.mode)


def _target(folder: Path) -> str:
    link = folder / DATA
    return str(link.readlink()) if link.is_symlink() else ""


def _current(folder: Path) -> dict[str, tuple[bytes, int]] | None:
    data = folder / _target(folder)
    if data == folder:
        return None
    found = (path for path in data.rglob("*") if path.is_file())
    return {str(path.relative_to(data)): (path.read_bytes(), path.stat().st_mode & 0o777) for path in found}


def _shown(files: Files) -> dict[str, tuple[bytes, int]]:
    return {path: (file.data, file.mode) for path, file in files.items()}


def _point(folder: Path, name: str) -> None:
    temporary = folder / "..data_tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(name)
    temporary.rename(folder / DATA)


def _link(folder: Path, names: set[str]) -> None:
    for entry in folder.iterdir():
        if entry.is_symlink() and entry.name != DATA and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"{DATA}/{name}")
