"""A rescue that this account could not end is not begun."""

from typing import Any

import pytest

from rescue.errors import ExitCode
from rescue.kube import rights
from rescue.kube.errors import ClusterError


class Reviewer:
    """Answers reviews; ``broken``: it offers none."""

    def __init__(self, *denied: str, broken: bool = False) -> None:
        self.denied, self.broken = denied, broken

    def create(self, resource: str, namespace: str, body: Any) -> Any:
        assert (resource, namespace) == ("selfsubjectaccessreviews", "")
        if self.broken:
            raise ClusterError("not found", "", 404)
        wanted = body["spec"]["resourceAttributes"]
        assert wanted["namespace"] == "prod"
        asked = " ".join(filter(None, (wanted["verb"], wanted["resource"], wanted["subresource"])))
        return {**body, "status": {"allowed": asked not in self.denied}}


@pytest.mark.parametrize("reviewer", [Reviewer(), Reviewer(broken=True)])
def test_who_may_everything_or_cannot_ask_goes_on(reviewer: Any) -> None:
    rights.check(reviewer, "prod")


def test_a_scout_is_begun_only_where_its_log_may_be_read() -> None:
    reviewer: Any = Reviewer("get pods log")
    rights.check(reviewer, "prod")
    with pytest.raises(ClusterError, match="you may not get pods/log in namespace prod"):
        rights.check(reviewer, "prod", rights.OF_A_SCOUT)


def test_every_missing_right_is_named() -> None:
    reviewer: Any = Reviewer("delete pods", "create pods exec")
    with pytest.raises(ClusterError) as raised:
        rights.check(reviewer, "prod")
    error = raised.value
    assert error.message.startswith("you may not delete pods, create pods/exec in namespace prod;")
    assert error.message.endswith("nothing was created")
    assert error.hint.endswith("kubectl auth can-i delete pods -n prod")
    assert (error.code, error.status) == (ExitCode.CLUSTER, 403)
