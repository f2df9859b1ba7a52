"""One replay, read once: everything that the facts are drawn from."""

from dataclasses import dataclass

from rescue.diagnosis import deaths, ending, exceptions, output, trace
from rescue.diagnosis.container import Container
from rescue.diagnosis.deaths import Death
from rescue.diagnosis.ending import EndRecord
from rescue.diagnosis.evidence import CaseFiles
from rescue.diagnosis.exceptions import Report
from rescue.diagnosis.output import Output
from rescue.diagnosis.trace import Trace
from rescue.model import Replay
from rescue.unstarted import never_started


@dataclass(frozen=True)
class Recording:
    """The parsed inputs; ``deaths`` goes from the main process to the child that died first."""

    inputs: CaseFiles
    container: Container
    trace: Trace
    output: Output
    record: EndRecord
    replay: Replay
    deaths: tuple[Death, ...]
    exceptions: tuple[Report, ...]

    @property
    def failed(self) -> bool:
        """The program ended by itself, and not well; without a replay the original counts."""
        if not self.replay.ended:
            return self.container.last_end.get("exitCode") not in (None, 0)
        return self.replay.crashed and (self.replay.exit_code != 0 or bool(self.replay.signal))

    @property
    def unstarted(self) -> bool:
        """The original could not be started at all, so nothing was replayed."""
        return not self.replay.ended and never_started(self.inputs.pod, self.container.name)


def observe(inputs: CaseFiles) -> Recording:
    """Parse every input; nothing raises on broken ones."""
    calls = trace.read(inputs.strace)
    record = ending.read(inputs.end)
    said = output.read(inputs)
    main_pid = record.number("main_pid") or calls.first_pid
    return Recording(
        inputs=inputs,
        container=Container(inputs.container, inputs.pod),
        trace=calls,
        output=said,
        record=record,
        replay=ending.summarise(inputs, calls),
        deaths=deaths.chain(calls, main_pid),
        exceptions=tuple(exceptions.find(said)),
    )
