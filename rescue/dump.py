"""Values as YAML that kubectl reads back as they were: of ruamel.yaml alone it takes some strings for numbers."""

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from rescue.manifest import BOOL, TAG

# A plain scalar of these letters means the same string to every YAML reader, unless it is a word of BOOL or null.
_PLAIN = re.compile(rf"^(?!(?:{BOOL}|null|Null|NULL)$)[A-Za-z_/][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*$")


class _Representer(SafeRepresenter):
    """Quotes every string that some reader could take for something else; keeps key order."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_str(dumper: SafeRepresenter, text: str) -> ScalarNode:
    if "\n" in text and not re.search(r"[^\n\x20-\x7e]|[ \t]\n|^\s", text):
        return dumper.represent_scalar(TAG + "str", text, style="|")
    return dumper.represent_scalar(TAG + "str", text, style=None if _PLAIN.match(text) else '"')


_Representer.add_representer(str, _represent_str)
_Representer.add_representer(dict, lambda dumper, data: dumper.represent_mapping(TAG + "map", list(data.items())))


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
