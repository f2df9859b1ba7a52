"""Every status that an API server may answer becomes a message and a next step."""

import json
from http import HTTPStatus

import pytest

from rescue.errors import ExitCode
from rescue.kube.errors import MEANINGS, Request, from_status

REQUEST = Request("create", "pods/exec", "shop", "web-0")


@pytest.mark.parametrize("status", [status.value for status in HTTPStatus if status.value >= 400])
def test_every_status_has_words_and_a_next_step(status: int) -> None:
    error = from_status(status, b"<html>", REQUEST)
    assert (error.status, error.code) == (status, ExitCode.CLUSTER)
    assert str(status) in error.message
    assert error.hint
    assert "{" not in error.message + error.hint


def test_the_servers_own_message_comes_first() -> None:
    body = json.dumps({"kind": "Status", "message": 'pods "web-0" is forbidden: exceeded quota', "reason": "Forbidden"})
    error = from_status(403, body, REQUEST)
    assert (error.message, error.reason) == ('pods "web-0" is forbidden: exceeded quota', "Forbidden")
    assert error.hint == "see what is allowed: kubectl auth can-i create pods/exec -n shop"


def test_the_table_names_only_errors() -> None:
    assert all(400 <= status < 600 for status in MEANINGS)
