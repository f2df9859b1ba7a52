"""How long a failing container or image waits for its next try; pure, times are seconds."""

from dataclasses import dataclass, field

INITIAL = 10.0
# crashLoopBackOff.maxContainerRestartPeriod (KEP-4603, KEP-5593) of the recorded node; upstream's default is 300.
MAX_RESTART = 30.0
MAX_PULL = 300.0
# A container that ran this long starts over with the first delay.
FORGET = 600.0


@dataclass
class _Entry:
    delay: float
    updated: float


@dataclass
class Backoff:
    """The delays of the containers of one pod, by name; as ``flowcontrol.Backoff`` in client-go."""

    maximum: float = MAX_RESTART
    _entries: dict[str, _Entry] = field(default_factory=dict)

    def remaining(self, key: str, since: float, now: float) -> float:
        """Seconds still to wait after a failure at ``since``; 0 when it may start."""
        entry = self._entries.get(key)
        if entry is None or since - entry.updated > FORGET:
            return 0.0
        return max(0.0, entry.delay - (now - since))

    def delay(self, key: str) -> int:
        """The present delay in whole seconds, for messages."""
        return int(self._entries[key].delay)

    def next(self, key: str, since: float, now: float) -> None:
        """Note a try: the first delay, or twice the last one up to the maximum."""
        entry = self._entries.get(key)
        if entry is None or since - entry.updated > FORGET:
            self._entries[key] = _Entry(INITIAL, now)
        else:
            self._entries[key] = _Entry(min(entry.delay * 2, self.maximum), now)
