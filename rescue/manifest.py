"""YAML as kubectl reads and writes it (sigs.k8s.io/yaml: YAML 1.1 scalars, no dates, no sexagesimals).

ruamel.yaml alone reads ``0755`` as 755 and writes strings that kubectl then takes for numbers.
"""

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter
from ruamel.yaml.resolver import VersionedResolver

from rescue.errors import ExitCode, RescueError

_TAG = "tag:yaml.org,2002:"
_BOOL = "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"
_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("bool", rf"^(?:{_BOOL})$", "yYnNtTfFoO"),
    ("int", r"^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$",
        "-+.0123456789",
    ),
    ("merge", r"^<<$", "<"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
)
# A plain scalar of these letters means the same string to every YAML reader, unless it is a word of _BOOL or null.
_PLAIN = re.compile(rf"^(?!(?:{_BOOL}|null|Null|NULL)$)[A-Za-z_/][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*$")


class _Resolver(VersionedResolver):
    """Gives every plain scalar the type that kubectl gives it."""

    @property
    def versioned_resolver(self) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
        table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        for name, pattern, firsts in _SCALARS:
            for first in firsts:
                table.setdefault(first, []).append((_TAG + name, re.compile(pattern)))
        table["."] = [entry for entry in table["."] if entry[0].endswith("float")]
        table[""] = [(_TAG + "null", re.compile("^$"))]
        return table


def _integer(text: str) -> int:
    text = text.replace("_", "")
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    if digits[:2].lower() in ("0b", "0o", "0x"):
        return sign * int(digits, 0)
    octal = len(digits) > 1 and digits[0] == "0" and set(digits) <= set("01234567")
    return sign * int(digits, 8 if octal else 10)


def _construct_int(loader: SafeConstructor, node: ScalarNode) -> int:
    return _integer(str(loader.construct_scalar(node)))


def _construct_bool(loader: SafeConstructor, node: ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


class _Safe(SafeConstructor):
    pass


class _Positions(RoundTripConstructor):
    pass


for _constructor in (_Safe, _Positions):
    _constructor.add_constructor(_TAG + "int", _construct_int)
    _constructor.add_constructor(_TAG + "bool", _construct_bool)


class _Representer(SafeRepresenter):
    """Quotes every string that some reader could take for something else; keeps key order."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_str(dumper: SafeRepresenter, text: str) -> ScalarNode:
    if "\n" in text and not re.search(r"[^\n\x20-\x7e]|[ \t]\n|^\s", text):
        return dumper.represent_scalar(_TAG + "str", text, style="|")
    return dumper.represent_scalar(_TAG + "str", text, style=None if _PLAIN.match(text) else '"')


_Representer.add_representer(str, _represent_str)
_Representer.add_representer(dict, lambda dumper, data: dumper.represent_mapping(_TAG + "map", list(data.items())))


def _loader(constructor: type[SafeConstructor], kind: str) -> YAML:
    yaml = YAML(typ=kind, pure=True)
    yaml.Resolver = _Resolver
    yaml.Constructor = constructor
    return yaml


def _malformed(source: str, error: YAMLError) -> RescueError:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    problem = error.problem or error.context if isinstance(error, MarkedYAMLError) else error
    return RescueError(
        f"{source}:{mark.line + 1 if mark else 1}: not valid YAML: {problem}",
        "correct the file; `rescue rules` shows the shape of a rule file",
        ExitCode.USAGE,
    )


def load_all(text: str, source: str) -> list[Any]:
    """All documents of a YAML or JSON text as plain Python values; empty documents are left out.

    Raises RescueError (usage) with ``source:line`` when the text is not YAML.
    """
    try:
        return [doc for doc in _loader(_Safe, "safe").load_all(text) if doc is not None]
    except YAMLError as error:
        raise _malformed(source, error) from error


def load_with_lines(text: str, source: str) -> Any:
    """One YAML document whose maps know their line (``value.lc.line``, from 0).

    Raises RescueError (usage) with ``source:line`` when the text is not YAML.
    """
    try:
        return _loader(_Positions, "rt").load(text)
    except YAMLError as error:
        raise _malformed(source, error) from error


def dump(value: Any) -> str:
    """The value as block YAML that kubectl reads back as the same value, keys in their given order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(value, out)
    return out.getvalue()
