"""A Report as text for people or as JSON for programs.  Pure."""

from collections.abc import Callable

from rescue.model import Report
from rescue.report.document import render as document
from rescue.report.text import render as text

FORMATS: dict[str, Callable[[Report], str]] = {"text": text, "json": document}
