"""How a run ended, in the words of a status."""

import time
from datetime import datetime

from rescue.sandbox.kubelet.launch import message_file
from rescue.sandbox.kubelet.logs import last_text
from rescue.sandbox.kubelet.observed import Exit, Run
from rescue.sandbox.kubelet.status import NEVER_STARTED
from rescue.sandbox.store import Object, timestamp

# The kubelet's limits: MaxContainerTerminationMessageLength, …LogLength, …LogLines.
MESSAGE_BYTES = 4096
LOG_BYTES = 2048
LOG_LINES = 80


def exit_of(run: Run, spec: Object, code: int, finished: str, oom: bool) -> Exit:
    """The end of a run with its termination message; ``finished`` is RFC 3339."""
    reason = "OOMKilled" if oom else "Completed" if code == 0 else "Error"
    moment = datetime.fromisoformat(finished)
    text = timestamp(moment)
    return Exit(code, reason, text, min(run.started, text), _message(run, spec, code), moment.timestamp())


def failed_start(message: str) -> Exit:
    """The end of a run whose command could not be started, as containerd reports it."""
    return Exit(128, "StartError", timestamp(), NEVER_STARTED, message, time.time())


def _message(run: Run, spec: Object, code: int) -> str:
    path = message_file(run)
    data = path.read_bytes()[:MESSAGE_BYTES] if path.exists() else b""
    if data or code == 0 or spec.get("terminationMessagePolicy") != "FallbackToLogsOnError":
        return data.decode(errors="replace")
    return last_text(run.log, LOG_LINES, LOG_BYTES)
