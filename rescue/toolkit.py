"""The toolkit as one tar: the hunter and the keeper, and this machine's strace with its loader and libraries.

Busybox is not in it: the clone's init container brings that from the toolkit image.
"""

import io
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from rescue import elf
from rescue.errors import RescueError
from rescue.resources import data_dir

STRACE_DIR = "strace.d"
LOADER = "ld.so"
INSTALL = "install strace on this machine for a traced replay (Debian: apt-get install strace)"


@dataclass(frozen=True)
class Toolkit:
    """What is uploaded to ``/.rescue``: ``tar`` in bytes, for nodes of ``machine`` (as ``uname -m`` says it).

    ``strace`` is the version, or empty when the replay will not be traced; then ``note`` says why.
    """

    machine: str
    strace: str
    note: str
    tar: bytes

    @property
    def traced(self) -> bool:
        """Whether a strace is in it."""
        return bool(self.strace)

    def describe(self) -> str:
        """One line for people."""
        tracer = f"strace {self.strace}" if self.traced else f"no strace: {self.note}"
        return f"{tracer}, {len(self.tar) / 1e6:.1f} MB, {self.machine}"


def load(machine: str) -> Toolkit:
    """The toolkit for a node whose ``uname -m`` says ``machine``.

    A missing or unfit strace is no error: the replay then runs untraced and says so. Raises RescueError when rescue
    itself lacks its files.
    """
    files = _agent_files()
    strace, version, note = _host_strace(machine)
    files |= strace
    lines = f"format=rescue-toolkit 1\nmachine={machine}\nstrace={version}\nnote={note}\n"
    files["toolkit"] = lines.encode()
    return Toolkit(machine, version, note, _archive(files))


def _agent_files() -> dict[str, bytes]:
    try:
        folder = data_dir("hunter_agent")
    except FileNotFoundError as error:
        raise RescueError(str(error), "install rescue again: pip install --force-reinstall rescue") from error
    paths = [folder / "hunter", folder / "keeper", *sorted((folder / "lib").glob("*.sh"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _host_strace(machine: str) -> tuple[dict[str, bytes], str, str]:
    """Its files by their names in the toolkit, its version, and why there are none."""
    found = shutil.which("strace")
    if not found:
        return {}, "", f"this machine has no strace; {INSTALL}"
    program = Path(found).resolve()
    try:
        header = elf.parse(program.read_bytes())
        if header.machine != machine:
            return {}, "", f"this machine's strace is for {header.machine}, the node is {machine}"
        return _with_libraries(program, header.loader), _version(program), ""
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return {}, "", f"this machine's strace cannot be taken along: {error}"


def _with_libraries(program: Path, loader: str) -> dict[str, bytes]:
    """A dynamic strace is called through its own loader, so that the image need not have one."""
    files = {f"{STRACE_DIR}/strace": program.read_bytes()}
    if loader:
        files[f"{STRACE_DIR}/{LOADER}"] = Path(loader).read_bytes()
        for library in _libraries(program, loader):
            files[f"{STRACE_DIR}/{library.name}"] = library.read_bytes()
    return files


def _libraries(program: Path, loader: str) -> list[Path]:
    """What the loader would map: lines such as ``libc.so.6 => /lib/libc.so.6 (0x7f00)`` (ld.so(8), --list)."""
    listing = _output([loader, "--list", str(program)])
    return [Path(path) for path in re.findall(r"=> (/\S+) \(", listing) if Path(path).name != Path(loader).name]


def _version(program: Path) -> str:
    match = re.search(r"version (\S+)", _output([str(program), "-V"]))
    return match[1] if match else "of unknown version"


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10, stdin=subprocess.DEVNULL)
    return done.stdout


def _archive(files: dict[str, bytes]) -> bytes:
    """A tar that depends on nothing but its files: no times, no users."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in sorted({str(Path(name).parent) for name in files} - {"."}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o755
            tar.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()
