"""The exit code of a container that never started: its cause, or that nothing fails as far as anybody can see."""

import copy
from pathlib import Path
from typing import Any

import pytest

from rescue.case import CASE, EVENTS, OBJECTS, POD, TARGET, Case
from rescue.errors import ExitCode
from rescue.judge import judge
from rescue.model import SCHEMA_VERSION, to_json
from rescue.triage import choose_target

from .recorded import recorded


def case_of(folder: Path, pod: Any, events: Any, objects: Any) -> Case:
    """A case as one is written when no clone is made."""
    target = choose_target(pod, None, None)
    case = Case.create(folder / "case")
    header = {"schemaVersion": SCHEMA_VERSION, "container": target.container, "command": [], "replayed": False}
    for name, value in ((CASE, header), (TARGET, to_json(target)), (POD, pod), (EVENTS, events), (OBJECTS, objects)):
        case.write_json(name, value)
    return case


@pytest.mark.parametrize(
    ("name", "code"), [("config-error", "RSC140"), ("image-pull", "RSC152"), ("nonroot", "RSC160")]
)
def test_the_cause_is_found_without_a_replay(name: str, code: str, tmp_path: Path) -> None:
    pod, events = recorded(name)["last"], recorded(name)["events"]
    report = judge(case_of(tmp_path, pod, events, {"configMaps": {}, "secrets": {}, "unreadable": {}}))
    assert (report.exit_code, report.replay, report.clone) == (ExitCode.CAUSE_FOUND, None, {})
    assert report.diagnosis.verdict is not None and report.diagnosis.verdict.code == code
    assert report.diagnosis.not_checked == ()


def test_a_pod_that_may_just_be_starting_is_refused(tmp_path: Path) -> None:
    pod = copy.deepcopy(recorded("config-error")["last"])
    pod["spec"]["containers"][0]["env"] = []
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ContainerCreating"}}
    report = judge(case_of(tmp_path, pod, [], {"unreadable": {}}))
    assert (report.exit_code, report.diagnosis.findings) == (ExitCode.REFUSED, ())
