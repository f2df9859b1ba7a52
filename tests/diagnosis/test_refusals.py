"""What a program refuses by its own words: which words count, and how far they are believed."""

from typing import Any

import pytest

from rescue.diagnosis import exceptions, output, variables
from rescue.diagnosis.diagnose import examine
from rescue.diagnosis.evidence import CaseFiles
from rescue.diagnosis.output import Output

FAILED = b"format=rescue-end 1\nended=exited\nexit_code=1\ntraced=no\n"
REFERENCE = {"name": "A_B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}


def said(stderr: str) -> Output:
    return output.read(CaseFiles(container="app", stderr=stderr.encode()))


def verdict(stderr: str, container: dict[str, Any] | None = None) -> tuple[str, str] | None:
    """Code and confidence for a program that said this, ended with 1, and was not traced."""
    pod = {"spec": {"containers": [{"name": "app", **(container or {})}]}}
    found = examine(CaseFiles(container="app", pod=pod, end=FAILED, stderr=stderr.encode()))[0].verdict
    return (found.code, found.confidence.value) if found else None


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("entry.sh: line 3: DB_HOST: unbound variable", "DB_HOST", "exact"),
        ("/bin/sh: 1: TOKEN: parameter not set", "TOKEN", "exact"),
        ("DB_USER must be set", "DB_USER", "exact"),
        ("missing required environment variable PORT", "PORT", "exact"),
        ("environment variable 'app_mode' is not defined", "app_mode", "exact"),
        ("Error: JWT_SECRET is required", "JWT_SECRET", "usual"),
        ("You must specify ADMIN_PASSWORD to a non-empty value", "ADMIN_PASSWORD", "usual"),
        ("field CUSTOMER_ID is missing in record 7", "CUSTOMER_ID", "loose"),
    ],
)
def test_words_that_miss_a_variable(text: str, name: str, words: str) -> None:
    lines = said(text).closing
    assert [(n, w) for n, _, w in variables.missing(lines, ())] == [(name, words)]


def test_variables_in_a_list_under_a_heading() -> None:
    text = "You need to specify one of the following as an environment variable:\n - ROOT_PASSWORD\n - RANDOM_PASSWORD"
    assert [(n, w) for n, _, w in variables.missing(said(text).closing, ())] == [("ROOT_PASSWORD", "usual")]
    assert list(variables.missing(said("deleted:\n - ROOT_PASSWORD").closing, ())) == []


@pytest.mark.parametrize("text", ["ERROR in MAIN_LOOP", "set DEBUG_LEVEL to see more", "permission denied on DATA_DIR"])
def test_words_that_miss_no_variable(text: str) -> None:
    assert list(variables.missing(said(text).closing, ())) == []


@pytest.mark.parametrize(
    ("container", "objects", "state"),
    [
        ({}, {}, "unset"),
        ({"env": [{"name": "A_B", "value": ""}]}, {}, "empty"),
        ({"env": [{"name": "A_B", "value": "1"}]}, {}, "set"),
        ({"env": [REFERENCE]}, {"secrets": {"s": []}}, "no key"),
        ({"env": [REFERENCE]}, {"secrets": {"s": ["k"]}}, "set"),
        ({"env": [REFERENCE]}, {}, "set"),
        ({"envFrom": [{"prefix": "A_", "configMapRef": {"name": "c"}}]}, {"configMaps": {"c": ["B"]}}, "set"),
        ({"envFrom": [{"configMapRef": {"name": "c"}}]}, {"configMaps": {"c": ["B"]}}, "unset"),
        ({"envFrom": [{"configMapRef": {"name": "c"}}]}, {"unreadable": {"configMaps": "no"}}, "unknown"),
    ],
)  # fmt: skip
def test_state_of_a_variable_in_the_manifest(container: dict[str, Any], objects: dict[str, Any], state: str) -> None:
    assert variables.state("A_B", container, objects).state == state


def test_variables_of_the_kubelet_are_never_missing() -> None:
    assert variables.state("KUBERNETES_SERVICE_HOST", {}, {}).state == "set"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DB_USER must be set", ("RSC131", "certain")),
        ("JWT_SECRET is required", ("RSC131", "likely")),
        ("field CUSTOMER_ID is missing in record 7", None),
        ("KUBERNETES_SERVICE_HOST must be set", None),
        ("WARNING: CACHE_DIR not set, using default\nchecksum mismatch", None),
        ("certificate verify failed: unable to get local issuer certificate", ("RSC205", "likely")),
        ("failed to resolve dependencies for module core", None),
        ("Could not resolve placeholder 'db.url' in value", None),
        ("could not resolve address 'api.internal'.", ("RSC203", "certain")),
        ("Failed to resolve 'kafka-0.kafka:9092': Name or service not known (after 2ms)", ("RSC203", "certain")),
        ('data directory "/d" has invalid permissions', ("RSC116", "likely")),
        ("accept: Too many open files", ("RSC115", "likely")),
        ("fork: Resource temporarily unavailable", ("RSC115", "likely")),
        ("invalid checksum", None),
    ],
)
def test_verdict_from_the_last_words_alone(text: str, expected: tuple[str, str] | None) -> None:
    assert verdict(text) == expected


def test_value_of_a_variable_that_is_set_is_what_is_refused() -> None:
    env = {"env": [{"name": "LOG_LEVEL", "value": "loud"}]}
    assert verdict("LOG_LEVEL must be set to one of DEBUG, INFO", env) == ("RSC133", "likely")
    assert verdict("invalid LOG_LEVEL", env) == ("RSC133", "likely")
    assert verdict("LOG_LEVEL is loud", env) is None


@pytest.mark.parametrize("text", ["Error: it did not work\nError: at all", "a.b.SomeError: no stack\nmore"])
def test_words_of_an_error_without_a_stack_are_no_exception(text: str) -> None:
    assert exceptions.find(said(text)) == []


def test_telling_lines_go_before_chatter() -> None:
    text = "FATAL: checksum mismatch\n[info] 0 keys read\n2024-05-01 10:00:00 INFO shutting down\n"
    found = examine(CaseFiles(container="app", end=FAILED, stderr=text.encode()))[0]
    assert [f.code for f in found.findings] == ["RSC900"]
    assert found.findings[0].message.endswith("Its last words: FATAL: checksum mismatch")


def test_port_in_use_is_read_from_words_without_an_address() -> None:
    assert verdict("Web server failed to start. Port 8080 was already in use.") == ("RSC210", "likely")


def test_name_is_never_a_port() -> None:
    text = "dial: Failed to resolve 'kafka-0.kafka:9092': Name or service not known"
    found = examine(CaseFiles(container="app", end=FAILED, stderr=text.encode()))[0]
    assert "The name is kafka-0.kafka." in found.findings[0].message


def test_variable_that_is_only_remarked_on_is_not_the_cause() -> None:
    trouble = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in <module>\nValueError: bad rate\n'
    files = CaseFiles(container="app", end=FAILED, stderr=trouble.encode(), stdout=b"SENTRY_DSN is not set\n")
    found = examine(files)[0]
    assert found.verdict is not None and found.verdict.code == "RSC401"
    assert [f.confidence.value for f in found.findings if f.code == "RSC131"] == ["hint"]
    assert verdict("CACHE_URL is not set, cache disabled") is None
