"""The formats of names, labels and annotations, with the server's words for what is wrong.

Source: k8s.io/apimachinery/pkg/util/validation.  Each function gives the complaints about one value.
"""

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAME_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_NAME_PART})?"
_ENV_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_NAME_PART_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    f" character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME_PART}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start"
    f" and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must"
    " start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    rf" '{_LABEL}(\.{_LABEL})*')"
)
_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must"
    " start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for"
    f" validation is '{_LABEL_VALUE}')"
)
_QUALIFIED_TEXT = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    f" '{_NAME_PART}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
_ENV_TEXT = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must"
    f" not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is"
    f" '{_ENV_NAME}')"
)
_CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
    f"  or 'key-name', regex used for validation is '{_CONFIG_KEY}')"
)


def dns_label(value: str) -> list[str]:
    """RFC 1123 label: container, volume, namespace and host names."""
    return _too_long(value, 63) + _unlike(_LABEL, value, _LABEL_TEXT)


def dns_subdomain(value: str) -> list[str]:
    """RFC 1123 subdomain: the names of most objects."""
    return _too_long(value, 253) + _unlike(_SUBDOMAIN, value, _SUBDOMAIN_TEXT)


def label_value(value: str) -> list[str]:
    """The value of a label."""
    return _too_long(value, 63) + _unlike(_LABEL_VALUE, value, _LABEL_VALUE_TEXT)


def qualified_name(value: str) -> list[str]:
    """``name`` or ``example.com/name``: keys of labels and annotations, condition types."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return [_QUALIFIED_TEXT]
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {text}" for text in dns_subdomain(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 characters")
    return problems + [f"name part {text}" for text in _unlike(_NAME_PART, name, _NAME_PART_TEXT)]


def env_name(value: str) -> list[str]:
    """The name of an environment variable."""
    return _unlike(_ENV_NAME, value, _ENV_TEXT)


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    return _too_long(value, 253) + _unlike(_CONFIG_KEY, value, _CONFIG_KEY_TEXT)


def _too_long(value: str, most: int) -> list[str]:
    return [f"must be no more than {most} characters"] if len(value) > most else []


def _unlike(pattern: str, value: str, text: str) -> list[str]:
    return [] if re.fullmatch(pattern, value) else [text]
