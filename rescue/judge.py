"""From a case folder to its report: reads the case, judges it, decides the exit code."""

from rescue.case import CASE, TARGET, Case, read_files
from rescue.diagnosis.diagnose import examine
from rescue.errors import ExitCode
from rescue.model import Diagnosis, JsonObject, Replay, Report, Target, to_json

DIAGNOSIS = "diagnosis.json"


def exit_code(diagnosis: Diagnosis, replay: Replay | None) -> ExitCode:
    """What the process says: a verdict counts most, then whether it crashed at all."""
    if diagnosis.verdict:
        return ExitCode.CAUSE_FOUND
    if replay and not replay.crashed:
        return ExitCode.NO_CRASH
    return ExitCode.UNKNOWN_CAUSE


def judge(case: Case) -> Report:
    """Judge a case by its files alone, and write diagnosis.json into it."""
    header: JsonObject = case.json(CASE, {})
    diagnosis, ended = examine(read_files(case))
    replay = ended if header.get("replayed") else None
    case.write_json(DIAGNOSIS, to_json(diagnosis))
    return Report(
        target=Target.from_json(case.json(TARGET, {})),
        diagnosis=diagnosis,
        replay=replay,
        clone=header.get("clone") or {},
        case=str(case.path),
        exit_code=int(exit_code(diagnosis, replay)),
        warnings=tuple(header.get("warnings", ())),
    )
