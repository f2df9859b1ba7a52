"""Roles and bindings: whether a user may do something (plugin/pkg/auth/authorizer/rbac of Kubernetes)."""

from collections.abc import Iterator
from dataclasses import dataclass

from rescue.sandbox.access.identity import MASTERS, PREFIX, User
from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store

_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Attributes:
    """What somebody wants to do: a verb on a resource, or on a ``path`` that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """``pods`` or ``pods/log``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True)
class Verdict:
    """``reason`` says which binding allows it, or which role is missing."""

    allowed: bool
    reason: str = ""


def judge(store: Store, user: User, wanted: Attributes) -> Verdict:
    """Whether the user may."""
    if MASTERS in user.groups:
        return Verdict(True)
    missing: list[str] = []
    for reason, rules in _grants(store, user, wanted.namespace, missing):
        if any(covers(rule, wanted) for rule in rules):
            return Verdict(True, f"RBAC: allowed by {reason}")
    return Verdict(False, f"RBAC: {_listed(missing)}" if missing else "")


def rules_of(store: Store, user: User, namespace: str) -> list[Object]:
    """All rules that apply to the user in a namespace."""
    if MASTERS in user.groups:
        everything = ["*"]
        return [
            {"verbs": everything, "apiGroups": everything, "resources": everything},
            {"verbs": everything, "nonResourceURLs": everything},
        ]
    return [rule for _, rules in _grants(store, user, namespace, []) for rule in rules]


def covers(rule: Object, wanted: Attributes) -> bool:
    """Whether a PolicyRule allows it."""
    if not _has(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(_path_matches(pattern, wanted.path) for pattern in rule.get("nonResourceURLs", ()))
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), wanted.group)
        and _resource_matches(rule.get("resources", ()), wanted)
        and (not names or wanted.name in names)
    )


def _has(allowed: list[str] | None, value: str) -> bool:
    return "*" in (allowed or ()) or value in (allowed or ())


def _resource_matches(allowed: list[str], wanted: Attributes) -> bool:
    any_resource = f"*/{wanted.subresource}" in allowed if wanted.subresource else False
    return "*" in allowed or wanted.full_resource in allowed or any_resource


def _path_matches(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def _grants(store: Store, user: User, namespace: str, missing: list[str]) -> Iterator[tuple[str, list[Object]]]:
    """(what the binding is, its rules) for every binding of the user; roles that are not there go to ``missing``."""
    bindings = store.list("clusterrolebindings")
    bindings += store.list("rolebindings", namespace) if namespace else []
    for binding in bindings:
        subject = next((s for s in binding.get("subjects", []) if _is(s, user, namespace)), None)
        if subject is not None:
            try:
                yield _shown(binding, subject), _role(store, binding).get("rules") or []
            except NotFound as error:
                kind = binding["roleRef"]["kind"].lower()
                missing.append(f'{kind}.{_GROUP} "{error}" not found')


def _role(store: Store, binding: Object) -> Object:
    reference = binding["roleRef"]
    if reference["kind"] == "ClusterRole":
        return store.get("clusterroles", "", reference["name"])
    return store.get("roles", binding["metadata"]["namespace"], reference["name"])


def _is(subject: Object, user: User, namespace: str) -> bool:
    kind, name = subject["kind"], subject["name"]
    if kind == "ServiceAccount":
        return user.name == f"{PREFIX}{subject.get('namespace') or namespace}:{name}"
    return name in user.groups if kind == "Group" else bool(kind == "User" and name == user.name)


def _shown(binding: Object, subject: Object) -> str:
    meta, role = binding["metadata"], binding["roleRef"]
    name = f"{meta['name']}/{meta['namespace']}" if "namespace" in meta else meta["name"]
    whom = f"{subject['name']}/{subject['namespace']}" if subject.get("namespace") else subject["name"]
    return f'{binding["kind"]} "{name}" of {role["kind"]} "{role["name"]}" to {subject["kind"]} "{whom}"'


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
