"""What kubelet, runtime and scheduler say about a container that was not started: its status first, then events."""

from dataclasses import dataclass

from rescue import unstarted
from rescue.diagnosis.recording import Recording
from rescue.model import Evidence, JsonObject

_LONGEST = 1000


@dataclass(frozen=True)
class Saying:
    """One message with the reason of its status or event; ``source`` is the file of the case that holds it."""

    reason: str
    text: str
    source: str
    count: int = 1

    def evidence(self) -> Evidence:
        """The same as a line of proof."""
        times = f" (x{self.count})" if self.count > 1 else ""
        return Evidence(self.source, f"{self.reason}: {self.text}{times}"[:_LONGEST])


def sayings(recording: Recording) -> list[Saying]:
    """The container's state, why the pod has no node, then its warnings, the newest first."""
    waiting = recording.container.waiting
    condition = unstarted.scheduling(recording.inputs.pod)
    states = [_of_state(state) for state in (waiting, condition) if state.get("message")]
    events = [e for e in recording.inputs.events if _matters(e, recording.container.name)]
    return states + [_of_event(event) for event in sorted(events, key=_time, reverse=True)]


def _of_state(state: JsonObject) -> Saying:
    return Saying(str(state.get("reason", "")), str(state["message"]), "pod.json")


def _of_event(event: JsonObject) -> Saying:
    text = str(event.get("message") or event.get("note") or "")
    return Saying(str(event.get("reason", "")), text, "events.json", int(event.get("count") or 1))


def _matters(event: JsonObject, container: str) -> bool:
    """A warning about this container, or about the whole pod."""
    path = str((event.get("involvedObject") or event.get("regarding") or {}).get("fieldPath") or "")
    return event.get("type") == "Warning" and (not path or path.endswith("{" + container + "}"))


def _time(event: JsonObject) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((str(time) for time in times if time), "")
