"""From a case folder to its report: reads the case, judges it, decides the exit code."""

from rescue import unstarted
from rescue.case import CASE, TARGET, Case, damaged, read_files
from rescue.diagnosis.diagnose import examine
from rescue.errors import ExitCode
from rescue.model import Diagnosis, JsonObject, Replay, Report, Target, to_json

DIAGNOSIS = "diagnosis.json"


def exit_code(diagnosis: Diagnosis, replay: Replay | None, state: str) -> ExitCode:
    """What the process says: a verdict counts most, then whether it crashed at all; ``state`` is the target's."""
    if diagnosis.verdict:
        return ExitCode.CAUSE_FOUND
    if replay is None and state == unstarted.STATE:
        return ExitCode.REFUSED  # It may be starting at this moment: nothing fails as far as anybody can see.
    if replay and not replay.crashed:
        return ExitCode.NO_CRASH
    return ExitCode.UNKNOWN_CAUSE


def judge(case: Case) -> Report:
    """Judge a case by its files alone; raises RescueError (usage) when it is damaged."""
    header: JsonObject = case.json(CASE, {})
    diagnosis, ended = examine(read_files(case))
    replay = ended if header.get("replayed") else None
    target = _target(case)
    return Report(
        target=target,
        diagnosis=diagnosis,
        replay=replay,
        clone=header.get("clone") or {},
        case=str(case.path),
        exit_code=int(exit_code(diagnosis, replay, target.state)),
        warnings=tuple(header.get("warnings", ())),
    )


def _target(case: Case) -> Target:
    try:
        return Target.from_json(case.json(TARGET, {}))
    except (KeyError, TypeError) as error:
        raise damaged(case.path / TARGET, f"something is missing: {error}") from error


def record(case: Case) -> Report:
    """Judge a case, and write diagnosis.json into it."""
    report = judge(case)
    case.write_json(DIAGNOSIS, to_json(report.diagnosis))
    return report
