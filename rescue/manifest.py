"""YAML and JSON as kubectl reads them (sigs.k8s.io/yaml: YAML 1.1 scalars, no dates, no sexagesimals).

libyaml reads the rules in a fifteenth of the time that ruamel.yaml takes, and rescue reads a hundred at each start.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from rescue.errors import ExitCode, RescueError

TAG = "tag:yaml.org,2002:"
BOOL = "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"
_TRUE = ("y", "yes", "true", "on")
_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("bool", rf"^(?:{BOOL})$", "yYnNtTfFoO"),
    ("int", r"^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("float", r"^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$", "-+."),
    ("merge", r"^<<$", "<"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
    ("null", "^$", ""),
)


class Map(dict[str, Any]):
    """A mapping that knows its line, from 1."""

    line = 1


class Items(list[Any]):
    """A sequence that knows the line of each item, from 1."""

    lines: tuple[int, ...] = ()


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # PyYAML can be built without libyaml
    """Gives every plain scalar the type that kubectl gives it."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


def _map(loader: Any, node: MappingNode) -> Iterator[Map]:
    made = Map()
    made.line = node.start_mark.line + 1
    yield made
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, ScalarNode) and key.tag != f"{TAG}merge":
            if key.value in seen:
                raise ConstructorError(None, None, f"found duplicate key {key.value!r}", key.start_mark)
            seen.add(key.value)
    made.update({_key(key): value for key, value in loader.construct_mapping(node, deep=True).items()})


def _key(key: Any) -> str:
    """A key as JSON has it."""
    return key if isinstance(key, str) else json.dumps(key)


def _items(loader: Any, node: SequenceNode) -> Iterator[Items]:
    made = Items()
    made.lines = tuple(item.start_mark.line + 1 for item in node.value)
    yield made
    made.extend(loader.construct_sequence(node, deep=True))


def _integer(text: str) -> int:
    text = text.replace("_", "")
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    if digits[:2].lower() in ("0b", "0o", "0x"):
        return sign * int(digits, 0)
    octal = len(digits) > 1 and digits[0] == "0" and set(digits) <= set("01234567")
    return sign * int(digits, 8 if octal else 10)


def _boolean(text: str) -> bool:
    return text.lower() in _TRUE


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _scalar(convert: Callable[[str], Any]) -> Callable[[Any, ScalarNode], Any]:
    return lambda loader, node: convert(str(loader.construct_scalar(node)))


for _name, _pattern, _firsts in _SCALARS:
    _Loader.add_implicit_resolver(TAG + _name, re.compile(_pattern), list(_firsts) or [""])
for _name, _convert in (("int", _integer), ("bool", _boolean), ("float", _float)):
    _Loader.add_constructor(TAG + _name, _scalar(_convert))
_Loader.add_constructor(TAG + "map", _map)
_Loader.add_constructor(TAG + "seq", _items)


def _malformed(text: str, source: str, error: yaml.YAMLError) -> RescueError:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    line = min(mark.line + 1, len(text.splitlines())) if mark else 1  # libyaml sees an early end on the line after it.
    problem = error.problem or error.context if isinstance(error, yaml.MarkedYAMLError) else error
    return RescueError(
        f"{source}:{line}: not valid YAML: {problem}",
        "correct the file; `rescue rules` shows the shape of a rule file",
        ExitCode.USAGE,
    )


def load_all(text: str, source: str) -> list[Any]:
    """All documents of a YAML or JSON text as plain Python values; empty documents are left out.

    Raises RescueError (usage) with ``source:line`` when the text is neither.
    """
    try:
        return [document for document in _documents(text, source) if document is not None]
    except RecursionError as error:
        raise RescueError(f"{source}: nested too deeply", "is it a manifest?", ExitCode.USAGE) from error


def _documents(text: str, source: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except ValueError:  # Not JSON, so YAML; or malformed as both.
        pass
    try:
        return list(yaml.load_all(text, _Loader))
    except yaml.YAMLError as error:
        raise _malformed(text, source, error) from error


def load_with_lines(text: str, source: str) -> Any:
    """One YAML document whose maps and sequences are Map and Items.

    Raises RescueError (usage) with ``source:line`` when the text is not YAML.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise _malformed(text, source, error) from error
