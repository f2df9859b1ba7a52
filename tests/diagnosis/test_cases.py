"""Every folder of cases/ is one recorded replay; its expected.json says what must be found.

``verdict`` is the code of the verdict or null, ``codes`` must be among the findings, and each
``evidence`` must stand in the first finding.  To add a case, add a folder.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from rescue.diagnosis.diagnose import examine
from rescue.diagnosis.evidence import CaseFiles, case_files
from rescue.model import Confidence, Finding

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())


def read(name: str) -> dict[str, Any]:
    """The files of a case by their names in it: JSON values and bytes."""
    folder = CASES / name
    return {
        str(path.relative_to(folder)): json.loads(path.read_text()) if path.suffix == ".json" else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def inputs(name: str) -> CaseFiles:
    """A recorded case as the inputs of a diagnosis."""
    files = read(name)
    return case_files(files["case.json"], files)


def words(finding: Finding) -> str:
    """All that a finding shows."""
    return "\n".join([finding.message, *(item.text for item in finding.evidence)])


@pytest.mark.parametrize("name", NAMES)
def test_recorded_case_has_the_expected_cause(name: str) -> None:
    expected = read(name)["expected.json"]
    diagnosis, _ = examine(inputs(name))
    assert (diagnosis.verdict.code if diagnosis.verdict else None) == expected["verdict"]
    assert set(expected["codes"]) <= {finding.code for finding in diagnosis.findings}
    missing = [text for text in expected["evidence"] if text not in words(diagnosis.findings[0])]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_every_source_of_evidence_is_a_line_of_the_case(name: str) -> None:
    files = read(name)
    sources = {"strace.log": "replay/strace.log", "stderr": "replay/stderr", "stdout": "replay/stdout"}
    for finding in examine(inputs(name))[0].findings:
        for item in finding.evidence:
            file, _, line = item.source.partition(":")
            if file in sources:
                rows = files[sources[file]].decode().split("\n")
                first = item.text.split("\n")[0].split()
                assert first[0] in rows[int(line) - 1], item


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("healthy-", "retrying-"))])
def test_program_that_lives_gives_nothing_above_a_hint(name: str) -> None:
    diagnosis, replay = examine(inputs(name))
    assert not replay.crashed
    assert {finding.confidence for finding in diagnosis.findings} <= {Confidence.HINT}


def test_untraced_replay_still_has_its_cause_from_the_words() -> None:
    files = read("configmap-key-missing")
    files["replay/strace.log"] = b""
    files["replay/end"] = b"format=rescue-end 1\nended=exited\nexit_code=3\ntraced=no\n"
    diagnosis, replay = examine(case_files(files["case.json"], files))
    assert diagnosis.verdict is not None and diagnosis.verdict.code == "RSC102"
    assert not replay.traced
    assert any("not traced" in text for text in diagnosis.not_checked)


def test_nothing_at_all_is_said_to_be_not_checked() -> None:
    diagnosis, replay = examine(CaseFiles(container="app"))
    assert diagnosis.findings == () and replay.ended == ""
    assert any("none was recorded" in text for text in diagnosis.not_checked)


def test_unreadable_objects_are_said_to_be_not_checked() -> None:
    files = read("configmap-key-missing")
    files["objects.json"] = {"configMaps": {}, "unreadable": {"configMaps": "forbidden"}}
    diagnosis, _ = examine(case_files(files["case.json"], files))
    assert "configMaps: forbidden" in diagnosis.not_checked
    assert diagnosis.verdict is not None and diagnosis.verdict.confidence is Confidence.LIKELY
    assert "could not be read" in diagnosis.verdict.message


@pytest.mark.parametrize("cut", [1, 7, 100, 500])
def test_trace_cut_anywhere_is_still_read(cut: int) -> None:
    files = read("configmap-key-missing")
    files["replay/strace.log"] = files["replay/strace.log"][:-cut]
    diagnosis, _ = examine(case_files(files["case.json"], files))
    assert diagnosis.verdict is not None and diagnosis.verdict.code == "RSC102"


@pytest.mark.parametrize(
    ("note", "code", "says"),
    [
        (
            "strace: Can't stat '/opt/app/serve': No such file or directory",
            "RSC120",
            "There is no program /opt/app/serve",
        ),
        ("strace: Can't stat 'serve': No such file or directory", "RSC120", "There is no program serve"),
        ("strace: exec: No such file or directory", "RSC121", "/opt/app/serve exists"),
        ("strace: exec: Exec format error", "RSC122", "cannot execute /opt/app/serve"),
        ("strace: exec: Permission denied", "RSC123", "/opt/app/serve may not be executed"),
        ("setsid: can't execute '/opt/app/serve': No such file or directory", "RSC120", "If the file does exist"),
        ("setsid: can't execute '/opt/app/serve': Permission denied", "RSC123", "/opt/app/serve may not be executed"),
    ],
)
def test_program_that_the_hunter_could_not_start(note: str, code: str, says: str) -> None:
    end = f"format=rescue-end 1\nended=failed\nexit_code=127\ntraced=yes\nnote=the program did not start: {note}\n"
    diagnosis, _ = examine(CaseFiles(container="app", command=("/opt/app/serve",), end=end.encode()))
    assert diagnosis.verdict is not None
    assert (diagnosis.verdict.code, diagnosis.verdict.confidence) == (code, Confidence.CERTAIN)
    assert says in diagnosis.verdict.message
    assert "not traced" not in " ".join(diagnosis.not_checked)


def test_mount_that_the_runtime_refused_is_found_without_a_replay() -> None:
    message = (
        'failed to create containerd task: error mounting "/var/lib/kubelet/pods/1/volume-subpaths/config/app/0" to '
        'rootfs at "/etc/app/app.conf": not a directory: Are you trying to mount a directory onto a file?'
    )
    files = read("subpath-key-missing")
    status = files["pod.json"]["status"]["containerStatuses"][0]
    status["lastState"] = {"terminated": {"exitCode": 128, "reason": "StartError", "message": message}}
    for name in [name for name in files if name.startswith("replay/")]:
        del files[name]
    diagnosis, _ = examine(case_files(files["case.json"], files))
    assert [(f.code, f.evidence[0].source) for f in diagnosis.findings if f.code == "RSC112"] == [
        ("RSC112", "pod.json")
    ]
