"""A pod is ours only when its label, its annotations and its name agree."""

import copy
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescue import planning
from rescue.marks import ANNOTATIONS, LETTERS, read, why_not_ours
from rescue.model import JsonObject
from rescue.options import Options
from rescue.placeholders import SUFFIX_LENGTH, clone_name

from .recorded import recorded


@cache
def planned(name: str) -> JsonObject:
    """The clone that would be made of a recorded pod."""
    return planning.plan_offline(recorded(name)["last"], Options()).clone


def clone(name: str = "liveness") -> JsonObject:
    """A clone as a server shows it."""
    made: JsonObject = copy.deepcopy(planned(name))
    made["metadata"].update(uid="u-1", resourceVersion="7", creationTimestamp="2026-01-01T00:00:00Z")
    return {**made, "status": {"phase": "Running"}}


@pytest.mark.parametrize("name", ["liveness", "db-0", "sidecar"])
def test_what_is_planned_is_ours(name: str) -> None:
    assert why_not_ours(clone(name)) == ""


def test_a_clone_of_a_pod_with_a_long_name_is_ours() -> None:
    pod = copy.deepcopy(recorded("liveness")["last"])
    pod["metadata"]["name"] = "long" * 20
    made = planning.plan_offline(pod, Options()).clone
    assert len(made["metadata"]["name"]) == 63
    assert why_not_ours(made) == ""


@given(
    st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?){0,6}", fullmatch=True),
    st.text(LETTERS, min_size=SUFFIX_LENGTH, max_size=SUFFIX_LENGTH),
)
def test_the_name_of_every_clone_is_known_again(source: str, suffix: str) -> None:
    pod = clone()
    pod["metadata"]["name"] = clone_name(source, suffix)
    pod["metadata"]["annotations"]["rescue.dev/source-pod"] = source
    assert why_not_ours(pod) == ""


def test_without_the_label_it_is_not_ours() -> None:
    pod = clone()
    pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
    assert why_not_ours(pod) == "it has no label app.kubernetes.io/managed-by=rescue"


@pytest.mark.parametrize("annotation", ANNOTATIONS)
def test_without_one_of_the_annotations_it_is_not_ours(annotation: str) -> None:
    pod = clone()
    del pod["metadata"]["annotations"][annotation]
    assert why_not_ours(pod) == f"it has no annotation {annotation}"


@pytest.mark.parametrize(
    "name", ["web", "rescue-x2b4c", "rescue-other-x2b4c", "rescue-liveness-aeiou", "rescue-liveness-"]
)
def test_with_another_name_it_is_not_ours(name: str) -> None:
    pod = clone()
    pod["metadata"]["name"] = name
    assert why_not_ours(pod) == "its name is not that of a clone of 'liveness'"


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-01-01T00:00:00"])
def test_without_a_moment_of_expiry_it_is_not_ours(text: str) -> None:
    pod = clone()
    pod["metadata"]["annotations"]["rescue.dev/expires"] = text
    assert "rescue.dev/expires is no time" in why_not_ours(pod)


def test_nothing_at_all_is_not_ours() -> None:
    assert why_not_ours({"metadata": {"name": "web", "labels": None}})
    label = {"app.kubernetes.io/managed-by": "rescue"}
    assert why_not_ours({"metadata": {"name": "web", "labels": label, "annotations": None}})


def test_the_marks_are_read() -> None:
    mark = read(clone())
    assert (mark.name[:-SUFFIX_LENGTH], mark.source_pod, mark.phase) == ("rescue-liveness-", "liveness", "Running")
    assert mark.created == datetime(2026, 1, 1, tzinfo=UTC)
    assert mark.expires > mark.created
    leaving = clone()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert read(leaving).phase == "Terminating"


def test_the_suffix_is_of_the_letters_that_a_plan_takes() -> None:
    assert set(LETTERS) >= set(clone()["metadata"]["name"][-SUFFIX_LENGTH:])


def test_a_suffix_is_never_a_number_which_a_member_of_a_set_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.choice", lambda letters: letters[-1])
    made = planning.plan_offline(recorded("liveness")["last"], Options())
    assert made.clone["metadata"]["name"] == "rescue-liveness-z9999"
