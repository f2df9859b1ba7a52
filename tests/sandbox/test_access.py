"""Accounts with less than all rights: tokens, roles, refusals and reviews."""

from typing import Any

import pytest

from rescue.sandbox.access.identity import Tokens, account_user
from rescue.sandbox.access.rbac import Attributes, judge
from rescue.sandbox.api.wanted import wanted_by
from rescue.sandbox.objects import Object
from tests.sandbox.fakes import TOKEN, Cluster, FakeExec
from tests.sandbox.plain import template

ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
PODS = "/api/v1/namespaces/default/pods"
USER = "system:serviceaccount:default:oncall"
SELF_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def rule(verbs: str, resources: str, group: str = "", **more: Any) -> Object:
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()} | more


async def account(cluster: Cluster, *rules: Object, name: str = "oncall") -> dict[str, str]:
    """The header of a new ServiceAccount that may do what the rules say in its namespace."""
    created = [
        ("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": name}}),
        (f"{ROLES}/roles", {"metadata": {"name": name}, "rules": list(rules)}),
        (
            f"{ROLES}/rolebindings",
            {
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
            },
        ),
    ]
    for path, body in created:
        code, answer = await cluster.call("POST", path, body)
        assert code == 201, answer
    _, answer = await cluster.call("POST", f"/api/v1/namespaces/default/serviceaccounts/{name}/token", {})
    return {"authorization": f"Bearer {answer['status']['token']}"}


def pod(name: str = "p") -> Object:
    return {"metadata": {"name": name}, "spec": template()["spec"]}


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        (
            "GET",
            f"{PODS}/p",
            f'pods "p" is forbidden: User "{USER}" cannot get resource "pods" in API group "" in the namespace'
            ' "default"',
        ),
        (
            "GET",
            f"{PODS}/p/log",
            f'pods "p" is forbidden: User "{USER}" cannot get resource "pods/log" in API group "" in the namespace'
            ' "default"',
        ),
        (
            "GET",
            "/api/v1/pods",
            f'pods is forbidden: User "{USER}" cannot list resource "pods" in API group "" at the cluster scope',
        ),
        (
            "GET",
            "/api/v1/namespaces/other/pods?watch=1",
            f'pods is forbidden: User "{USER}" cannot watch resource "pods" in API group "" in the namespace "other"',
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/default/deployments/shop",
            f'deployments.apps "shop" is forbidden: User "{USER}" cannot delete resource "deployments" in API group'
            ' "apps" in the namespace "default"',
        ),
        (
            "GET",
            "/apis/monitoring.coreos.com/v1/namespaces/default/podmonitors",
            f'podmonitors.monitoring.coreos.com is forbidden: User "{USER}" cannot list resource "podmonitors" in API'
            ' group "monitoring.coreos.com" in the namespace "default"',
        ),
        ("GET", "/metrics", f'forbidden: User "{USER}" cannot get path "/metrics"'),
    ],
)
async def test_what_no_rule_allows_is_forbidden_before_it_is_looked_for(
    cluster: Cluster, method: str, path: str, message: str
) -> None:
    header = await account(cluster, rule("list create", "pods"))
    code, body = await cluster.call(method, path, **header)
    assert (code, body["reason"], body["message"]) == (403, "Forbidden", message)


async def test_what_a_rule_allows_is_done(cluster: Cluster) -> None:
    header = await account(cluster, rule("list create", "pods"), rule("get", "configmaps", resourceNames=["mine"]))
    code, body = await cluster.call("POST", PODS, pod(), **header)
    assert (code, body["metadata"]["name"]) == (201, "p")
    assert (await cluster.call("GET", PODS, **header))[0] == 200
    maps = "/api/v1/namespaces/default/configmaps"
    codes = [(await cluster.call("GET", f"{maps}/{name}", **header))[0] for name in ("mine", "kube-root-ca.crt")]
    assert codes == [404, 403]


async def test_everybody_may_discover_and_ask_about_themselves(cluster: Cluster) -> None:
    header = await account(cluster)
    for path in ("/version", "/api", "/apis", "/api/v1", "/apis/apps/v1", "/openapi/v3"):
        assert (await cluster.call("GET", path, **header))[0] == 200, path
    _, me = await cluster.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, **header)
    assert me["status"]["userInfo"]["username"] == USER
    assert "system:serviceaccounts:default" in me["status"]["userInfo"]["groups"]


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ({"verb": "create", "resource": "pods", "namespace": "default"}, True),
        ({"verb": "create", "resource": "pods", "namespace": "other"}, False),
        ({"verb": "create", "resource": "pods", "subresource": "exec", "namespace": "default"}, False),
        ({"verb": "*", "resource": "pods", "namespace": "default"}, False),
    ],
)
async def test_a_review_tells_what_would_be_allowed(cluster: Cluster, asked: Object, allowed: bool) -> None:
    header = await account(cluster, rule("list create", "pods"))
    _, body = await cluster.call("POST", SELF_REVIEW, {"spec": {"resourceAttributes": asked}}, **header)
    assert body["status"]["allowed"] is allowed
    if allowed:
        text = 'RBAC: allowed by RoleBinding "oncall/default" of Role "oncall" to ServiceAccount "oncall/default"'
        assert body["status"]["reason"] == text
    _, body = await cluster.call("POST", SELF_REVIEW, {"spec": {"resourceAttributes": asked}})
    assert body["status"]["allowed"] is True, "the administrator may everything"


async def test_the_rules_of_an_account_are_listed(cluster: Cluster) -> None:
    header = await account(cluster, rule("list", "pods"))
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    _, body = await cluster.call("POST", path, {"spec": {"namespace": "default"}}, **header)
    assert rule("list", "pods") in body["status"]["resourceRules"]
    assert "/version" in body["status"]["nonResourceRules"][0]["nonResourceURLs"]


async def test_exec_needs_get_and_create(cluster: Cluster) -> None:
    await cluster.call("POST", PODS, pod())
    cluster.kubelet.session = FakeExec([(1, b"x")])
    reading = await account(cluster, rule("get", "pods/exec"), name="reading")
    code, body = await cluster.call("GET", f"{PODS}/p/exec?command=true&container=a", **reading)
    assert code == 403
    assert 'cannot create resource "pods/exec"' in body["message"]
    both = await account(cluster, rule("get create", "pods/exec"), name="both")
    header = {"Authorization": both["authorization"]}
    async with cluster.client.ws_connect(
        f"{PODS}/p/exec?command=true&container=a", protocols=("v5.channel.k8s.io",), headers=header
    ) as socket:
        assert (await socket.receive()).data == b"\x01x"


async def test_apply_of_what_is_not_there_needs_create_too(cluster: Cluster) -> None:
    header = await account(cluster, rule("patch", "configmaps"))
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    path = "/api/v1/namespaces/default/configmaps/new"
    code, answer = await cluster.call("PATCH", path, body, content_type="application/apply-patch+yaml", **header)
    assert (code, 'cannot create resource "configmaps"' in answer["message"]) == (403, True)


async def test_a_binding_to_a_role_that_is_missing_says_so(cluster: Cluster) -> None:
    header = await account(cluster)
    await cluster.call("DELETE", f"{ROLES}/roles/oncall")
    _, body = await cluster.call("GET", PODS, **header)
    assert body["message"].endswith(
        'in the namespace "default": RBAC: role.rbac.authorization.k8s.io "oncall" not found'
    )


async def test_a_token_dies_with_its_account(cluster: Cluster) -> None:
    header = await account(cluster, rule("list", "pods"))
    await cluster.call("DELETE", "/api/v1/namespaces/default/serviceaccounts/oncall")
    assert (await cluster.call("GET", PODS, **header))[0] == 401
    again = {"metadata": {"name": "oncall"}}
    await cluster.call("POST", "/api/v1/namespaces/default/serviceaccounts", again)
    assert (await cluster.call("GET", PODS, **header))[0] == 401, "another account of the same name"


def test_a_token_that_has_expired_or_was_changed_is_nobodys(cluster: Cluster) -> None:
    tokens = Tokens(cluster.store, TOKEN)
    assert tokens.user(tokens.issue("default", "default", -1)) is None
    good = tokens.issue("default", "default")
    user = tokens.user(good)
    assert user is not None and user.name == "system:serviceaccount:default:default"
    head, claims, signature = good.split(".")
    assert tokens.user(f"{head}.{claims}x.{signature}") is None
    assert tokens.user("") is None


async def test_one_may_act_as_another_only_with_the_right_to(cluster: Cluster) -> None:
    code, body = await cluster.call("GET", f"{PODS}/p", **{"impersonate-user": USER})
    assert (code, f'User "{USER}"' in body["message"]) == (403, True)
    header = await account(cluster)
    code, body = await cluster.call("GET", f"{PODS}/p", **header, **{"impersonate-user": "root"})
    assert (code, body["message"]) == (
        403,
        f'users "root" is forbidden: User "{USER}" cannot impersonate resource "users" in API group "" at the cluster'
        " scope",
    )


@pytest.mark.parametrize(
    ("role", "wanted", "allowed"),
    [
        ("view", Attributes("list", "", "pods", "", "default"), True),
        ("view", Attributes("get", "", "secrets", "", "default"), False),
        ("view", Attributes("create", "", "pods", "exec", "default"), False),
        ("edit", Attributes("create", "", "pods", "exec", "default"), True),
        ("edit", Attributes("create", "rbac.authorization.k8s.io", "roles", "", "default"), False),
        ("admin", Attributes("create", "rbac.authorization.k8s.io", "roles", "", "default"), True),
        ("edit", Attributes("list", "", "nodes"), False),
        ("cluster-admin", Attributes("get", "any", "thing", "at", "", "all"), True),
    ],
)
def test_the_default_roles(cluster: Cluster, role: str, wanted: Attributes, allowed: bool) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subjects = [{"kind": "Group", "name": "system:serviceaccounts:default"}]
    meta = {"name": "some"}
    plural = "rolebindings" if wanted.namespace else "clusterrolebindings"
    meta |= {"namespace": "default"} if wanted.namespace else {}
    cluster.store.create(plural, {"kind": "X", "metadata": meta, "roleRef": reference, "subjects": subjects})
    assert judge(cluster.store, account_user("default", "x"), wanted).allowed is allowed


@pytest.mark.parametrize(
    ("method", "path", "query", "wanted"),
    [
        ("GET", "/api/v1/nodes", {}, Attributes("list", "", "nodes")),
        ("GET", "/api/v1/namespaces/a", {}, Attributes("get", "", "namespaces", "", "a", "a")),
        ("PUT", "/api/v1/namespaces/a/status", {}, Attributes("update", "", "namespaces", "status", "a", "a")),
        ("DELETE", "/apis/batch/v1/namespaces/a/jobs", {}, Attributes("deletecollection", "batch", "jobs", "", "a")),
        (
            "GET",
            "/api/v1/namespaces/a/pods",
            {"watch": "1", "fieldSelector": "metadata.name=p"},
            Attributes("watch", "", "pods", "", "a", "p"),
        ),
        ("PATCH", "/apis/g/v2/things/x/scale", {}, Attributes("patch", "g", "things", "scale", "", "x")),
        ("GET", "/apis/apps/v1", {}, Attributes("get", path="/apis/apps/v1")),
    ],
)
def test_a_request_says_what_it_wants(method: str, path: str, query: dict[str, str], wanted: Attributes) -> None:
    assert wanted_by(method, path, query) == wanted
