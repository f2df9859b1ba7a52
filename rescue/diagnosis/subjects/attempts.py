"""Facts about a server that was tried and not reached, when the program says only that it gives up.

Clients with a time limit connect without blocking, so the trace shows attempts but not their outcome;
scripts start one client after the other.  Which server it was is in the trace all the same.
"""

import re
from dataclasses import dataclass

from rescue.diagnosis import addresses, output, strace
from rescue.diagnosis.facts import Subject, prefixed
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.strace import Address, Call
from rescue.diagnosis.subjects.network import address_text
from rescue.diagnosis.suspects import Suspect
from rescue.model import Evidence

_DNS = 53
_OUTCOMES = ("EINPROGRESS", "ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH")
_GIVES_UP = re.compile(
    r"unavailable|not available|not (?:yet )?(?:up|ready|reachable|responding|running|alive)\b|unreachable"
    r"|(?:did|does) not (?:come up|become|start|respond|answer)|giv(?:e|es|ing|en) up|gave up|\bretr(?:y|ies|ying)\b"
    r"|attempts?\b|waiting (?:for|on)|time(?:d)?[ -]?out|(?:can ?not|can't|could not|couldn't|unable to|failed to)"
    r" (?:be )?(?:connect|reach)|connection (?:failed|error|lost|reset|closed)|lost connection|not connected",
    re.I,
)


@dataclass(frozen=True)
class _Attempts:
    address: Address
    last: Call
    count: int


def subjects(recording: Recording, _suspects: list[Suspect]) -> list[Subject]:
    """The server that was tried last, if it was tried and the last words are about giving up."""
    words = [line for line in recording.output.closing if _GIVES_UP.search(line.text)]
    tried = _last_tried(recording)
    if not (recording.failed and words and tried):
        return []
    inputs, trace = recording.inputs, recording.trace
    peer = addresses.peer(tried.address.host, tried.address.port, inputs.objects, inputs.pod)
    values = prefixed(
        "attempt",
        peer=address_text(tried.address),
        count=tried.count,
        errno=tried.last.errno,
        target=peer.description,
        problem=peer.problem,
        specific=any(output.is_system_error(line.text) for line in words),
    )
    call = Evidence(f"strace.log:{trace.line_number(tried.last.offset)}", trace.line(tried.last.offset)[:400])
    return [Subject("attempt", values, (words[0].evidence(), call))]


def _last_tried(recording: Recording) -> _Attempts | None:
    """The address of the last connection that was not seen to succeed, with all its attempts, of any process."""
    found: dict[Address, _Attempts] = {}
    for failure in recording.trace.failures.values():
        address = strace.address(failure.call) if failure.call.name == "connect" else None
        if address and failure.call.errno in _OUTCOMES and address.port not in (0, _DNS):
            before = found.pop(address, None)
            found[address] = _Attempts(address, failure.call, failure.count + (before.count if before else 0))
    return max(found.values(), key=lambda tried: tried.last.offset, default=None)
