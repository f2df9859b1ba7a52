"""Docker-archives written byte for byte: the same entries always give the same image.

The format is that of ``docker save``: a tar of one configuration, one layer and a ``manifest.json``
(the OCI image specification describes the configuration).
"""

import hashlib
import json
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from rescue.errors import ExitCode, RescueError
from rescue.tarball import Entry as Entry
from rescue.tarball import pack

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


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
    layer = pack(image.entries)
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
    target.write_bytes(pack(Entry(name, content, mode=0o644) for name, content in members.items()))
    return target


def busybox() -> list[Entry]:
    """This machine's static busybox in /bin, with a link for each of its applets; RescueError when there is none."""
    found = shutil.which("busybox")
    if found is None:
        raise RescueError("busybox is missing", "apt-get install busybox-static", ExitCode.CLUSTER)
    listed = subprocess.run([found, "--list"], check=True, capture_output=True, text=True).stdout.split()
    applets = [name for name in listed if name != "busybox"]
    return [Entry("/bin/busybox", Path(found)), *(Entry(f"/bin/{name}", link="busybox") for name in applets)]
