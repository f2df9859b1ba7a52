"""How long something takes."""

import time
from collections.abc import Callable


def milliseconds(action: Callable[[], object], runs: int = 20) -> float:
    """The best of so many runs: what else the machine does makes a run only slower."""
    return min(_once(action) for _ in range(runs))


def _once(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000
