"""Docker-archives written byte for byte: the same entries always give the same image.

The format is that of ``docker save``: a tar of one configuration, one layer and a ``manifest.json``
(the OCI image specification describes the configuration).
"""

import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rescue.errors import ExitCode, RescueError

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Entry:
    """One member of a layer: a file (from bytes or from a path), a symbolic link, or a directory."""

    path: str
    content: bytes | Path | None = None
    link: str = ""
    mode: int = 0o755


@dataclass(frozen=True)
class Image:
    """An image of one layer; ``config`` is the OCI image configuration (Env, Entrypoint, Cmd, ...)."""

    name: str
    entries: tuple[Entry, ...]
    config: dict[str, object] = field(default_factory=lambda: {"Env": [PATH]})

    @property
    def file_name(self) -> str:
        """The archive's name: ``rescue.test/shell:1`` becomes ``shell-1.tar``."""
        return self.name.rpartition("/")[2].replace(":", "-") + ".tar"


def write_archive(image: Image, folder: Path) -> Path:
    """Write ``image`` as a docker-archive into ``folder``; the archive's path."""
    layer = _tar(image.entries)
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": image.config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "comment": "made by rescue from files of this machine"}],
        }
    ).encode()
    config_name, layer_name = hashlib.sha256(config).hexdigest() + ".json", f"{digest}/layer.tar"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [image.name], "Layers": [layer_name]}]).encode()
    members = {config_name: config, layer_name: layer, "manifest.json": manifest}
    target = folder / image.file_name
    target.write_bytes(_tar(Entry(name, content, mode=0o644) for name, content in members.items()))
    return target


def busybox() -> list[Entry]:
    """This machine's static busybox in /bin, with a link for each of its applets; RescueError when there is none."""
    found = shutil.which("busybox")
    if found is None:
        raise RescueError("busybox is missing", "apt-get install busybox-static", ExitCode.CLUSTER)
    listed = subprocess.run([found, "--list"], check=True, capture_output=True, text=True).stdout.split()
    applets = [name for name in listed if name != "busybox"]
    return [Entry("/bin/busybox", Path(found)), *(Entry(f"/bin/{name}", link="busybox") for name in applets)]


def _tar(entries: Iterable[Entry]) -> bytes:
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
