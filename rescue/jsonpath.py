"""A path of a rule (RFC 9535 JSONPath, or an RFC 6901 pointer) as the pointers it means on one manifest."""

from functools import lru_cache
from typing import Any

import jsonpath
from jsonpath.exceptions import JSONPathError


class PathError(ValueError):
    """The path is neither a JSONPath nor a JSON Pointer."""


@lru_cache(maxsize=256)
def _compile(path: str) -> jsonpath.CompoundJSONPath | jsonpath.JSONPath:
    try:
        return jsonpath.compile(path)
    except JSONPathError as error:
        raise PathError(f"{path}: {error}") from error


def check(path: str) -> None:
    """Raise PathError unless ``path`` can be used."""
    if path.startswith("$"):
        _compile(path)
    elif path and not path.startswith("/"):
        raise PathError(f"{path}: a path starts with $ (JSONPath) or / (JSON Pointer)")


def pointers(path: str, document: Any) -> list[str]:
    """JSON Pointers of everything in ``document`` that ``path`` matches, each once, in the order of the match.

    A JSON Pointer stands for itself, whether it exists or not.
    """
    if not path.startswith("$"):
        return [path]
    return list(dict.fromkeys(str(match.pointer()) for match in _compile(path).finditer(document)))


def resolve(pointer: str, document: Any) -> Any:
    """The value at a JSON Pointer; raises LookupError when there is none."""
    value = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def exists(pointer: str, document: Any) -> bool:
    """Whether ``document`` has a value at ``pointer``."""
    try:
        resolve(pointer, document)
    except (LookupError, TypeError, ValueError):
        return False
    return True
