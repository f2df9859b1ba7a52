"""Imports only go down: words <- pure <- edges <- flow <- cli; the sandbox is a world of its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {
    "words": "errors model options quantity resources",
    "pure": (
        "adoption claims concerns credentials diagnosis difference dump elf frames identity image jsonpath labels"
        " manifest marks placeholders plan refusal remaining report rules scheduling shape sighting templates times"
        " triage unstarted waiting wishes workloads worst"
    ),
    "edges": (
        "account case clone clones collect console entrypoint gather interrupt judge kube logins oci onlookers"
        " planning registry replay rulebook scout source starting surroundings tarball toolkit"
    ),
    "flow": "flow",
    "cli": "cli __main__",
}
ORDER = list(LAYERS)
LAYER_OF = {part: layer for layer, parts in LAYERS.items() for part in parts.split()}
SANDBOX_MAY_IMPORT = {"sandbox", "errors", "console", "quantity", "tarball"}

IMPURE_MODULES = {
    "aiohttp", "asyncio", "click", "dxf", "kubernetes", "os", "random", "requests", "secrets", "shutil", "socket",
    "subprocess", "tempfile", "threading", "time", "urllib3", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"open", "input", "print", "read_bytes", "read_text", "write_bytes", "write_text", "now", "today"}
# It reads its own rules, which are data files of the package.
READS_FILES = {"rescue/diagnosis/diagnose.py"}

MODULES = sorted((ROOT / "rescue").rglob("*.py"))


def part_of(path: Path) -> str:
    """The part of rescue that a file belongs to: ``rescue/kube/client.py`` is of ``kube``; the root is ''."""
    first = path.relative_to(ROOT / "rescue").parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """Every module that the file imports, also inside functions, by its full name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_imported(path: Path) -> set[str]:
    """The parts of rescue that the file imports."""
    names = (name.split(".") for name in imports_of(path) if name.startswith("rescue."))
    return {name[1] for name in names} - {"__version__"}


def calls_of(path: Path) -> set[str]:
    """The last name of everything that the file calls: ``open`` for ``open()`` and for ``path.open()``."""
    called = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return {ast.unparse(function).rpartition(".")[2] for function in called}


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_every_module_has_a_layer(path: Path) -> None:
    assert part_of(path) in LAYER_OF.keys() | {"", "sandbox"}, "name its layer in LAYERS"


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) in LAYER_OF], ids=by_name)
def test_imports_go_down(path: Path) -> None:
    here = ORDER.index(LAYER_OF[part_of(path)])
    above = {part for part in parts_imported(path) if part in LAYER_OF and ORDER.index(LAYER_OF[part]) > here}
    assert above == set()


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_only_the_command_line_knows_the_sandbox(path: Path) -> None:
    if part_of(path) == "sandbox":
        assert parts_imported(path) <= SANDBOX_MAY_IMPORT
    else:
        assert LAYER_OF.get(part_of(path)) == "cli" or "sandbox" not in parts_imported(path)


@pytest.mark.parametrize("path", MODULES, ids=by_name)
def test_only_the_kubernetes_edge_imports_the_client(path: Path) -> None:
    assert part_of(path) == "kube" or "kubernetes" not in {name.split(".")[0] for name in imports_of(path)}


@pytest.mark.parametrize("path", [p for p in MODULES if LAYER_OF.get(part_of(p)) in ("words", "pure")], ids=by_name)
def test_pure_modules_have_no_clock_no_chance_and_no_files(path: Path) -> None:
    assert {name.split(".")[0] for name in imports_of(path)} & IMPURE_MODULES == set()
    if by_name(path) not in READS_FILES:
        assert calls_of(path) & IMPURE_CALLS == set()
