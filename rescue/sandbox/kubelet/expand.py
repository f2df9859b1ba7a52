"""``$(NAME)`` references in commands, arguments and values, as Kubernetes expands them; pure."""

import re
from collections.abc import Mapping

# third_party/forked/golang/expansion: "$$" is a dollar sign, an unknown or unclosed reference stays as it is.
_TOKEN = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, values: Mapping[str, str]) -> str:
    """The text with its references replaced."""

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else values.get(name, match.group(0))

    return _TOKEN.sub(replaced, text)
