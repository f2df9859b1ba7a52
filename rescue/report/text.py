"""The report for a terminal: the verdict first, then the evidence, then what was done."""

import shlex
import textwrap
from collections.abc import Iterable

from rescue.model import Finding, Memory, Replay, Report, Target
from rescue.unstarted import STATE

WIDTH = 110
RUNNERS_UP = 2
MIB = 1024 * 1024
_INDENT = " " * 10
# A program's bytes must not reach the terminal as commands: every control character but tab and line end is replaced.
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\t"), ord("\n")}, "\N{REPLACEMENT CHARACTER}")


def _wrap(label: str, text: str) -> list[str]:
    """``label`` in the first column, ``text`` wrapped beside it; its own line breaks stay."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines += textwrap.wrap(paragraph, WIDTH - len(_INDENT), break_on_hyphens=False) or [""]
    return [f"{label:<10}{lines[0]}".rstrip(), *(f"{_INDENT}{line}".rstrip() for line in lines[1:])]


def _how(target: Target) -> str:
    if target.exit_code is None:
        return target.reason or target.state
    end = f"{target.reason}, exit code {target.exit_code}"
    return end if target.lifetime is None else f"{end} after {target.lifetime:.0f} s"


def _header(target: Target) -> list[str]:
    owner = f"{target.owner.kind} {target.owner.name}, " if target.owner else ""
    kind = "init container" if target.is_init else "container"
    return [
        *_wrap("pod", f"{target.pod}   ({owner}namespace {target.namespace})"),
        *_wrap(kind.split()[0], f"{target.container}   {_how(target)}; {target.restarts} restarts; {target.choice}"),
    ]


def _evidence(finding: Finding) -> list[str]:
    lines = []
    for item in finding.evidence:
        first, *rest = item.text.splitlines() or [""]
        lines.append(f"{_INDENT}{item.source}: {first}")
        lines += [f"{_INDENT}  {line}" for line in rest]
    return lines


def _finding(finding: Finding, label: str) -> list[str]:
    return [
        *_wrap(label, f"{finding.title}   [{finding.code}, {finding.confidence}]"),
        *_wrap("", finding.message),
        *_wrap("next", finding.advice),
        *(["evidence", *_evidence(finding)] if finding.evidence else []),
    ]


def _memory(memory: Memory) -> str:
    limit = f" of {memory.limit / MIB:.0f} MiB" if memory.limit else ""
    return f"memory peak {memory.peak / MIB:.1f} MiB{limit}"


def _end(replay: Replay) -> str:
    if replay.ended in ("stopped", "timeout"):
        return "still ran when it was stopped"
    if replay.signal:
        return f"killed by {replay.signal}"
    return f"exit code {replay.exit_code}" if replay.exit_code is not None else f"ended: {replay.ended}"


def _replay(replay: Replay) -> list[str]:
    command = shlex.join(replay.command)
    shown = command if len(command) <= 200 else command[:200] + " …"
    parts = [_end(replay)]
    if replay.seconds is not None:
        parts[0] += f" after {replay.seconds:.1f} s"
    if replay.memory:
        parts.append(_memory(replay.memory))
    if not replay.traced:
        parts.append("NOT traced")
    return [*_wrap("replayed", shown), *_wrap("", ", ".join(parts)), *_notes("note", replay.notes)]


def _notes(label: str, notes: Iterable[str]) -> list[str]:
    return [line for note in notes for line in _wrap(label, note)]


def _no_verdict(report: Report) -> list[str]:
    if report.replay is None and report.target.state == STATE:
        text = "none: nothing says that it cannot start, so it may be starting now; wait a minute and look again"
        return _wrap("VERDICT", text)
    if report.replay is None:
        return _wrap("VERDICT", "none: nothing was replayed")
    if report.replay.ended == "stopped":
        return _wrap("VERDICT", "none: the replay was stopped before any crash, see the notes")
    if not report.replay.crashed:
        return _wrap("VERDICT", "none: the replay did not crash")
    return _wrap("VERDICT", "none: it crashed, and no known cause fits")


def render(report: Report) -> str:
    """The whole report, ending in a newline."""
    verdict, findings = report.diagnosis.verdict, report.diagnosis.findings
    others = findings[1:] if verdict else findings
    lines = _header(report.target)
    lines += ["", *(_finding(verdict, "VERDICT") if verdict else _no_verdict(report))]
    for finding in others[:RUNNERS_UP]:
        lines += ["", *_finding(finding, "also")]
    if report.replay:
        lines += ["", *_replay(report.replay)]
    lines += _notes("unknown", report.diagnosis.not_checked)
    lines += _notes("warning", report.warnings)
    if report.clone:
        lines += _wrap("clone", f"{report.clone['name']} ({report.clone['state']})")
    elif report.target.state == STATE:
        lines += _wrap("clone", "none was needed: the container was not started, so there is no crash to replay")
    return "\n".join([*lines, *_wrap("case", report.case)]).translate(_CONTROLS) + "\n"
