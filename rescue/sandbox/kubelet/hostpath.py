"""The types of hostPath volumes (``HostPathType``)."""

import stat
from pathlib import Path

from rescue.sandbox.kubelet.payload import VolumeError
from rescue.sandbox.store import Object

_CHECKS = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


def check_host_path(source: Object) -> Path:
    """The path, made first if its type says so; VolumeError when it is not of its type."""
    path, kind = Path(source["path"]), source.get("type", "")
    if kind == "DirectoryOrCreate":
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch(mode=0o644)
    elif kind == "":
        # Kubernetes checks nothing here, and the runtime makes a missing folder.
        if not path.exists():
            path.mkdir(parents=True)
        return path
    wanted, words = _CHECKS[kind.removesuffix("OrCreate")]
    if not path.exists() or not wanted(path.stat().st_mode):
        raise VolumeError(f"hostPath type check failed: {path} is not {words}")
    return path
