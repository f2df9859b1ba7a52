"""The suite's images as docker-archives, made from files of this machine: no registry, no build tool.

``python -m tests.e2e.images DIR`` writes one ``NAME.tar`` each, loadable with ``podman load``,
``ctr -n k8s.io images import`` and ``kind load image-archive``. The same machine always gives the same bytes.
"""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from rescue.options import DEFAULT_TOOLKIT_IMAGE
from rescue.sandbox.archive import ARCHITECTURE, PATH, Entry, Image, busybox, write_archive
from tests.e2e import elf

FOREIGN = {"amd64": "arm64", "arm64": "amd64"}[ARCHITECTURE]

# The name of rescue's default toolkit image. This is NOT the official image: it is a stand-in made from this
# machine's static busybox, so that a cluster without a registry can run the suite.
TOOLKIT = f"docker.io/library/{DEFAULT_TOOLKIT_IMAGE}"

UNUSED_MODULES = {
    "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages",
    "test", "tests", "tkinter", "turtledemo",
}  # fmt: skip


def all_images() -> list[Image]:
    """Every image that a case names, and the toolkit's."""
    return [
        Image("rescue.test/shell:1", (*busybox(), *_accounts())),
        Image("rescue.test/user:1", (*busybox(), *_accounts()), {"Env": [PATH], "User": "1000:1000"}),
        Image("rescue.test/scratch:1", _programs()),
        Image("rescue.test/entrypoint:1", _programs(), {"Entrypoint": ["/app/server"]}),
        Image("rescue.test/python:1", (*_python(), *_accounts())),
        Image(TOOLKIT, (*busybox(), *_accounts())),
    ]


def _accounts() -> list[Entry]:
    """What a minimal distribution has in /etc, and a /tmp for everybody."""
    return [
        Entry("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", mode=0o644),
        Entry("/etc/group", b"root:x:0:\napp:x:1000:\n", mode=0o644),
        Entry("/etc/shadow", b"root:*:0:0:99999:7:::\n", mode=0o600),
        Entry("/etc/nsswitch.conf", b"hosts: files dns\n", mode=0o644),
        Entry("/tmp", mode=0o1777),
    ]


def _programs() -> tuple[Entry, ...]:
    """Static programs, and nothing else: no shell, no library, no /etc."""
    config = "/etc/app/config.toml"
    unreadable = f"server: no configuration in {config}, giving up"
    return (
        Entry("/app/server", elf.program(ARCHITECTURE, unreadable, opens=config, exit_code=3)),
        Entry("/app/fault", elf.program(ARCHITECTURE, "fault: starting")),
        Entry("/app/quit", elf.program(ARCHITECTURE, "quit: not today", exit_code=7)),
        Entry("/app/foreign", elf.program(FOREIGN, unreadable, exit_code=3)),
    )


def _python() -> list[Entry]:
    """The interpreter that runs this, its standard library and the libraries both need."""
    version = sysconfig.get_python_version()
    executable = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    copy = Path(f"/usr/lib/python{version}")
    modules = [path for path in sorted(library.rglob("*")) if _is_used(path, library)]
    programs = [executable, *(path for path in modules if path.suffix == ".so")]
    return [
        Entry(f"/usr/bin/python{version}", executable),
        Entry("/usr/bin/python3", link=f"python{version}"),
        *(Entry(str(copy / path.relative_to(library)), path, mode=0o644) for path in modules),
        *(Entry(str(path), path) for path in _shared_libraries(programs)),
    ]


def _is_used(path: Path, library: Path) -> bool:
    parts = path.relative_to(library).parts
    skipped = any(part in UNUSED_MODULES or part.startswith("config-") for part in parts)
    return not skipped and path.is_file() and path.suffix in (".py", ".so")


def _shared_libraries(programs: list[Path]) -> Iterator[Path]:
    """The paths that ldd(1) finds for ``programs``, the dynamic loader among them."""
    listing = subprocess.run(["ldd", *map(str, programs)], check=True, capture_output=True, text=True).stdout
    yield from map(Path, sorted(set(re.findall(r"(/\S+) \(0x", listing))))


def main(folder: Path) -> None:
    """Write every archive into ``folder`` and say where each went."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in all_images():
        print(f"{write_archive(image, folder)}  {image.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
