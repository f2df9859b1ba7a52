"""Who am I, and what may I do: the answers to reviews, which are stored nowhere."""

from collections.abc import Callable

from rescue.sandbox.access.identity import User
from rescue.sandbox.access.rbac import Attributes, judge, rules_of
from rescue.sandbox.objects import Object
from rescue.sandbox.status import ApiError, bad_request
from rescue.sandbox.store import Store


def _access(store: Store, user: User, spec: Object) -> Object:
    on, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if bool(on) == bool(path):
        raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
    verdict = judge(store, user, _of_resource(on) if on else _of_path(path or {}))
    return {"allowed": verdict.allowed} | ({"reason": verdict.reason} if verdict.reason else {})


def _of_resource(given: Object) -> Attributes:
    fields = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(**{field: given.get(field, "") for field in fields})


def _of_path(given: Object) -> Attributes:
    return Attributes(given.get("verb", ""), path=given.get("path", ""))


def _identity(_: Store, user: User, __: Object) -> Object:
    return {"userInfo": user.info()}


def _rules(store: Store, user: User, spec: Object) -> Object:
    if not spec.get("namespace"):
        raise ApiError(400, "BadRequest", "no namespace on request")
    rules = rules_of(store, user, spec["namespace"])
    return {
        "resourceRules": [rule for rule in rules if "resources" in rule],
        "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
        "incomplete": False,
    }


REVIEWS: dict[str, Callable[[Store, User, Object], Object]] = {
    "selfsubjectaccessreviews": _access,
    "selfsubjectreviews": _identity,
    "selfsubjectrulesreviews": _rules,
}


def answer(store: Store, user: User, plural: str, body: Object) -> Object:
    """The review with its status; ApiError 400."""
    return {"metadata": {}} | body | {"status": REVIEWS[plural](store, user, body.get("spec") or {})}
