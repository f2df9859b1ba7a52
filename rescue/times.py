"""The time that a replay may take, and whether it fits into the life of its clone.  Pure."""

from rescue.errors import ExitCode, RescueError
from rescue.options import Options

# A replay may take three times as long as the original lived (tracing slows a start), within these bounds.
SHORTEST, LONGEST, FACTOR = 20.0, 600.0, 3.0


def check(options: Options) -> None:
    """Raises RescueError (usage) when the wished replay may outlive its clone."""
    wished = options.seconds
    if wished is not None and not wished + options.wait <= options.ttl:
        raise RescueError(
            f"--seconds {wished:g} and --wait {options.wait:g} do not fit into --ttl {options.ttl}",
            "the clone must live through both: give a longer --ttl, or less of the others",
            ExitCode.USAGE,
        )


def of_replay(options: Options, lifetime: float | None) -> float:
    """Seconds that a replay may take; ``lifetime``: those that the original lived, None when it is not known."""
    if options.seconds is not None:
        return options.seconds
    return max(SHORTEST, min(LONGEST, FACTOR * (lifetime or 0), options.ttl - options.wait))


def warnings(options: Options, lifetime: float | None) -> list[str]:
    """A warning when the original lived longer than the replay may."""
    seconds = of_replay(options, lifetime)
    if lifetime is None or lifetime <= seconds:
        return []
    return [
        f"the original lived {lifetime:.0f} s, the replay may take {seconds:.0f} s: give more with --seconds,"
        " and a --ttl that has room for it"
    ]
