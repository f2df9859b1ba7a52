"""The one error of rescue, and the exit codes that runbooks rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; stable, listed in the README and in ``--help``."""

    CAUSE_FOUND = 0
    FAILURE = 1
    USAGE = 2
    REFUSED = 3
    CLUSTER = 4
    NO_CRASH = 5
    UNKNOWN_CAUSE = 6

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.CAUSE_FOUND: "cause found, or the command did what was asked",
    ExitCode.FAILURE: "unexpected failure",
    ExitCode.USAGE: "wrong usage",
    ExitCode.REFUSED: "refused by a safety rule; nothing is left in the cluster",
    ExitCode.CLUSTER: "the cluster said no",
    ExitCode.NO_CRASH: "the replay did not crash",
    ExitCode.UNKNOWN_CAUSE: "crashed, cause unknown",
}


class RescueError(Exception):
    """What happened and where (``message``), what to type next (``hint``), and the exit code.

    It knows nothing of the command line; ``rescue.cli`` prints it and exits.
    """

    def __init__(self, message: str, hint: str = "", code: ExitCode = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
