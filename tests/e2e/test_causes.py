"""Every case of a crash: rescue names the cause, with evidence, and leaves nothing behind."""

import json
import subprocess
from concurrent.futures import Future
from typing import Any

import pytest

from tests.e2e.cluster import RESCUE, Cluster, Outcome
from tests.e2e.expect import Case, Expectation, load_cases

pytestmark = pytest.mark.e2e

CASES = {case.name: case for case in load_cases()}
SCHEMA_VERSION = "rescue.dev/v1"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_rescue_finds_the_cause(case: Case, cluster: Cluster, outcomes: dict[str, Future[Outcome]]) -> None:
    if not cluster.provides(case.expect.requires):
        pytest.skip(f"the cluster has no {case.expect.requires}")
    outcome = outcomes[case.name].result()
    code, left = outcome.run.code, outcome.left
    assert code == case.expect.exit, f"{outcome.run.stderr}\n{outcome.run.stdout}"
    assert left == [], outcome.run.stderr
    document = outcome.run.document
    check_frame(document, outcome, case.expect)
    check_verdict(document, case.expect)
    check_replay(document, case.expect)
    check_texts(outcome.run.stdout, case.expect)


@pytest.mark.parametrize("case", [CASES["configmap-key-missing"]], ids=["configmap-key-missing"])
def test_the_case_folder_alone_gives_the_same_answer(case: Case, outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes[case.name].result()
    again = subprocess.run(
        [RESCUE, "diagnose", outcome.folder, "-o", "json"],
        env={"KUBECONFIG": "/dev/null"},
        capture_output=True,
        text=True,
    )
    assert (again.returncode, again.stderr) == (outcome.run.code, "")
    assert json.loads(again.stdout) == outcome.run.document


def check_frame(document: dict[str, Any], outcome: Outcome, expect: Expectation) -> None:
    """The parts that every answer has, whatever the cause."""
    assert document["schemaVersion"] == SCHEMA_VERSION
    assert document["exitCode"] == outcome.run.code
    assert document["case"] == str(outcome.folder)
    assert (document["target"]["namespace"], document["target"]["pod"]) == (outcome.namespace, outcome.pod)
    assert expect.container in ("", document["target"]["container"])
    assert json.loads((outcome.folder / "case.json").read_text())["pod"] == outcome.pod


def check_verdict(document: dict[str, Any], expect: Expectation) -> None:
    """The code, how sure it is, what it says and what it rests on."""
    verdict = document["verdict"]
    codes = {finding["code"] for finding in document["findings"]}
    assert codes >= set(expect.findings), document["findings"]
    if expect.verdict is None:
        assert verdict is None
        return
    assert verdict is not None, document["findings"]
    assert {key: verdict[key] for key in expect.verdict} == expect.verdict, document["findings"]
    assert_holds(f"{verdict['message']} {verdict['advice']}", expect.message)
    assert_holds("\n".join(f"{entry['source']} {entry['text']}" for entry in verdict["evidence"]), expect.evidence)
    assert verdict["evidence"], "a verdict without evidence"


def check_replay(document: dict[str, Any], expect: Expectation) -> None:
    """How the replay ended; no clone and no replay where none is expected."""
    replay = document["replay"]
    if expect.replay is None:
        assert (replay, document["clone"]) == (None, {})
        return
    assert {key: replay[key] for key in expect.replay} == expect.replay, replay


def check_texts(stdout: str, expect: Expectation) -> None:
    """What must stand somewhere in the answer, and what must stand nowhere."""
    assert_holds(stdout, expect.output)
    assert [text for text in expect.absent if text in stdout] == []


def assert_holds(text: str, wanted: tuple[str, ...]) -> None:
    """Fail with the whole text when one of the wanted pieces is not in it."""
    assert [piece for piece in wanted if piece not in text] == [], text
