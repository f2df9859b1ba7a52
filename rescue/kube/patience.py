"""A moment without an answer is sat out, where asking again does no harm."""

import time
from collections.abc import Callable
from typing import TypeVar

from rescue.kube.errors import ClusterError

OUTAGE_SECONDS = 30.0
# No answer, and what passes: too many requests, a server or node that failed for a moment (an exec among it).
_PASSING = {0, 429, 500, 502, 503, 504}
_PAUSE_SECONDS = 1.0

Answer = TypeVar("Answer")


def patiently(ask: Callable[[], Answer], seconds: float = OUTAGE_SECONDS) -> Answer:
    """The answer to ``ask``, which is asked again for so many ``seconds`` while the cluster cannot answer.

    A refusal is raised at once; at the end of the time the last ClusterError is.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except ClusterError as error:
            if error.status not in _PASSING or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_SECONDS)
