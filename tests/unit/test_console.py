"""Who writes where, and what is left of it when nobody reads."""

from io import StringIO

from rescue.console import Console


class Closed(StringIO):
    """A terminal that was closed."""

    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


def test_quiet_keeps_what_must_be_known() -> None:
    stream = StringIO()
    console = Console(stream, quiet=True)
    console.step("a step")
    console.warn("the clone was not deleted")
    assert stream.getvalue() == "warning: the clone was not deleted\n"


def test_a_closed_terminal_stops_nothing() -> None:
    console = Console(Closed())
    console.step("a step")
    console.warn("the clone was not deleted")
