"""The report as one JSON document with a ``schemaVersion``."""

import json

from rescue.model import SCHEMA_VERSION, JsonObject, Replay, Report, to_json


def _replay(replay: Replay | None) -> JsonObject | None:
    return None if replay is None else {**to_json(replay), "crashed": replay.crashed}


def to_document(report: Report) -> JsonObject:
    """The report as JSON values."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "target": to_json(report.target),
        "verdict": to_json(report.diagnosis.verdict),
        "findings": to_json(report.diagnosis.findings),
        "notChecked": to_json(report.diagnosis.not_checked),
        "replay": _replay(report.replay),
        "clone": report.clone,
        "warnings": to_json(report.warnings),
        "case": report.case,
        "exitCode": report.exit_code,
    }


def render(report: Report) -> str:
    """The document as text, ending in a newline."""
    return json.dumps(to_document(report), indent=2, ensure_ascii=False) + "\n"
