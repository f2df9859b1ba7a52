"""Who owns a volume's files: fsGroup, and the pod's user for its token."""

import os
from pathlib import Path

from rescue.sandbox.kubelet.payload import File, Files
from rescue.sandbox.store import Object


def owned(files: Files, pod: Object) -> tuple[Files, tuple[int, int]]:
    """The files with the modes that fsGroup or a private token asks for, and their (uid, gid); pure."""
    group = fs_group(pod)
    user = common_user(pod)
    if group is not None:
        return {path: _for_group(file) for path, file in files.items()}, (0, group)
    private = any(file.private for file in files.values())
    if private and user is not None:
        return {path: _for_user(file) for path, file in files.items()}, (user, 0)
    return files, (0, 0)


def fs_group(pod: Object) -> int | None:
    """``spec.securityContext.fsGroup``."""
    return (pod["spec"].get("securityContext") or {}).get("fsGroup")


def common_user(pod: Object) -> int | None:
    """The one runAsUser of all containers, or None; as the service account plugin of the kubelet."""
    default = (pod["spec"].get("securityContext") or {}).get("runAsUser")
    containers = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    users = {(c.get("securityContext") or {}).get("runAsUser", default) for c in containers}
    return users.pop() if len(users) == 1 else None


def give_to_group(folder: Path, group: int) -> None:
    """Make a writable volume the group's: setgid folders, everything readable and writable by it."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink():
            continue
        os.chown(path, -1, group)
        extra = 0o2770 if path.is_dir() else 0o660
        path.chmod((path.stat().st_mode & 0o7777) | extra)


def _for_group(file: File) -> File:
    # A token is 0600 before the group gets to read it; other files keep their mode and gain 0440.
    return File(file.data, (0o600 if file.private else file.mode) | 0o440, file.private)


def _for_user(file: File) -> File:
    return File(file.data, 0o600, private=True) if file.private else file
