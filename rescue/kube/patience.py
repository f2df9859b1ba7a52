"""A moment without an answer is sat out, where asking again does no harm."""

import time
from collections.abc import Callable
from typing import TypeVar

from rescue.kube.errors import ClusterError

OUTAGE_SECONDS = 30.0
_PAUSE_SECONDS = 1.0

Answer = TypeVar("Answer")


def patiently(ask: Callable[[], Answer], seconds: float = OUTAGE_SECONDS) -> Answer:
    """The answer to ``ask``, which is asked again for so many ``seconds`` while the cluster does not answer.

    A refusal is raised at once, and so is the last ClusterError without an answer.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except ClusterError as error:
            if error.status != 0 or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_SECONDS)
