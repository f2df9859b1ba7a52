"""The corpus: pods in the shape in which a live cluster returns them, one file each."""

from functools import cache
from pathlib import Path

from rescue.manifest import load_all
from rescue.model import JsonObject

FOLDER = Path(__file__).parent / "corpus"
GROUPS = ("initContainers", "containers")


def names() -> list[str]:
    """Every shape."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def shape(name: str) -> JsonObject:
    """The pod of one file, read as kubectl reads it; nobody may change it."""
    (pod,) = load_all((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), name)
    found: JsonObject = pod
    return found


def containers(pod: JsonObject) -> list[JsonObject]:
    """Every container and init container."""
    return [container for group in GROUPS for container in pod["spec"].get(group) or ()]
