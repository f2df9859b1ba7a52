"""Who am I, and what may I do: the sandbox has one user, who may do everything."""

from collections.abc import Callable

from rescue.sandbox.objects import Object

USER = "rescue-sandbox-admin"
_GROUPS = ["system:masters", "system:authenticated"]
_ALL_RULES = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}


def _access(_: Object) -> Object:
    return {"allowed": True}


def _identity(_: Object) -> Object:
    return {"userInfo": {"username": USER, "groups": _GROUPS}}


def _rules(_: Object) -> Object:
    return _ALL_RULES


REVIEWS: dict[str, Callable[[Object], Object]] = {
    "selfsubjectaccessreviews": _access,
    "selfsubjectreviews": _identity,
    "selfsubjectrulesreviews": _rules,
}


def answer(plural: str, body: Object) -> Object:
    """The review with its status."""
    return {"metadata": {}} | body | {"status": REVIEWS[plural](body)}
