"""Where the data folders are: beside the package in a source tree, inside it when installed from a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """The folder ``patches`` or ``hunter_agent``; raises FileNotFoundError when the installation lost it."""
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"rescue is installed without its {name} folder")
