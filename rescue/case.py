"""The case: the local folder with everything one rescue collected, its names, how it is written and read."""

import errno
import json
import mmap
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rescue.diagnosis.evidence import DOCUMENTS, STREAMS, CaseFiles, case_files
from rescue.errors import ExitCode, RescueError
from rescue.model import SCHEMA_VERSION, JsonObject

CASE, TARGET, POD, EVENTS, OBJECTS = "case.json", "target.json", "pod.json", "events.json", "objects.json"
PLAN, CLONE, CLONE_STATUS = "plan.json", "clone.yaml", "clone-status.json"
REPLAY = "replay"
_FOLDERS = (REPLAY, "logs")
PRIVATE = 0o700


def log_name(container: str, previous: bool) -> str:
    """Where a container's log is."""
    return f"logs/{container}{'.previous' if previous else ''}.log"


class Case:
    """One case folder. Writing raises RescueError when the disk is full or not writable."""

    def __init__(self, path: Path, made: Sequence[Path] = ()) -> None:
        """``made``: the folders that were made for it, the innermost first."""
        self.path = path
        self._made = made

    @classmethod
    def create(cls, path: Path) -> "Case":
        """Make the folder, or take an empty one, for its owner alone, as it will hold logs and env.

        Raises RescueError (usage) when there is something in it already, or it cannot be written or made private.
        """
        made = [folder for folder in (path, *path.parents) if not folder.exists()]
        try:
            path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            if next(path.iterdir(), None):
                raise RescueError(f"{path} is not empty", "name another --case folder", ExitCode.USAGE)
            _make_private(path)
            for name in _FOLDERS:
                (path / name).mkdir()
                made.insert(0, path / name)
        except OSError as error:
            raise RescueError(f"{path}: {error.strerror}", "name a writable --case folder", ExitCode.USAGE) from error
        return cls(path, made)

    def discard(self) -> None:
        """Remove what was made for it; what has content by now stays."""
        with suppress(OSError):
            for folder in self._made:
                folder.rmdir()

    def write(self, name: str, content: str) -> None:
        """Write a text file."""
        try:
            (self.path / name).write_text(content, encoding="utf-8")
        except OSError as error:
            raise write_error(self.path / name, error) from error

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file."""
        self.write(name, json.dumps(value, indent=1, ensure_ascii=False) + "\n")

    def json(self, name: str, default: Any) -> Any:
        """Read a JSON file; ``default`` when it is not there.

        Raises RescueError (usage) when it is no JSON of the default's type: the folder is not a case, or was damaged.
        """
        path = self.path / name
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return default
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error
        if not isinstance(value, type(default)):
            raise damaged(path, f"it holds a {type(value).__name__}")
        return value

    def buffer(self, name: str) -> bytes | mmap.mmap:
        """A file's content without reading it whole; empty when it is not there."""
        path = self.path / name
        if not path.is_file() or not path.stat().st_size:
            return b""
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def bytes(self, name: str) -> bytes:
        """A file's content; empty when it is not there."""
        return bytes(self.buffer(name)[:])


def _make_private(path: Path) -> None:
    """Raises RescueError (usage) for a folder of somebody else, or on a disk that knows no owners."""
    with suppress(OSError):
        path.chmod(PRIVATE)
    if stat.S_IMODE(path.stat().st_mode) & ~PRIVATE:
        raise RescueError(
            f"{path} cannot be closed to others, and a case holds logs and env",
            "name a folder of your own, on a disk that keeps permissions, with --case",
            ExitCode.USAGE,
        )


def damaged(path: Path, why: object) -> RescueError:
    """The error for a file of a case that is not as it was written."""
    return RescueError(f"{path}: {why}", "is the case complete? take a new one with: rescue pod NAME", ExitCode.USAGE)


def write_error(path: Path, error: OSError) -> RescueError:
    """The error for a local file that cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "make room, or choose another disk with --case" if full else "choose a writable place with --case"
    return RescueError(f"cannot write {path}: {error.strerror}", hint)


def open_case(path: Path) -> Case:
    """An existing case; raises RescueError (usage) when the folder is none or of another schema."""
    case = Case(path)
    header: JsonObject = case.json(CASE, {})
    if header.get("schemaVersion") != SCHEMA_VERSION:
        found = f"it says {header['schemaVersion']!r}" if header else f"it has no {CASE}"
        raise RescueError(
            f"{path} is not a case of this version: {found}",
            "name the folder that `rescue pod` printed last, as `case`",
            ExitCode.USAGE,
        )
    if not isinstance(header.get("container"), str):
        raise damaged(path / CASE, "it names no container")
    return case


def read_files(case: Case) -> CaseFiles:
    """The inputs of a diagnosis."""
    header = case.json(CASE, {})
    logs = (log_name(header["container"], previous) for previous in (False, True))
    files: dict[str, Any] = {name: case.bytes(name) for name in (*STREAMS.values(), *logs) if name != STREAMS["strace"]}
    files[STREAMS["strace"]] = case.buffer(STREAMS["strace"])  # may be too large to read whole
    files.update({name: case.json(name, [] if name == EVENTS else {}) for name in DOCUMENTS.values()})
    return case_files(header, files)
