"""What a user types to have the clone otherwise: read strictly, and never silently without effect."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from rescue import wishes
from rescue.claims import altered
from rescue.errors import ExitCode, RescueError
from rescue.model import Command, JsonObject, Plan
from rescue.options import Wishes
from rescue.placeholders import Choices
from rescue.plan import compile_plan
from rescue.rulebook import load_rules
from rescue.triage import offline_target

CHOICES = Choices("x2b4c", "2026-01-01T00:00:00Z", "kim@desk", "busybox:1.37.0-musl", 3600, frozenset({"app"}))
RULES = load_rules((), ())
POD: JsonObject = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "uid": "0-1",
        "labels": {"app": "web", "tier": "front"},
        "annotations": {"price": "5$(x)"},
    },
    "spec": {
        "nodeName": "node1",
        "subdomain": "web",
        "containers": [
            {
                "name": "web",
                "image": "shop:1",
                "env": [
                    {"name": "LOG", "value": "info"},
                    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
                    {"name": "PRICE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['price']"}}},
                    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "resources": {
                    "limits": {"memory": "64Mi", "nvidia.com/gpu": "1"},
                    "requests": {"memory": "64Mi", "cpu": "2", "nvidia.com/gpu": "1"},
                },
                "volumeMounts": [
                    {"name": "data", "mountPath": "/data"},
                    {"name": "kube-api-access-x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
                ],
            },
            {"name": "log", "image": "log:1"},
        ],
        "initContainers": [
            {"name": "migrate", "image": "shop:1"},
            {"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"},
        ],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}},
            {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
            {"name": "kube-api-access-x", "projected": {"sources": []}},
        ],
    },
}
CLAIM: JsonObject = {
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "1Gi"}},
        "volumeMode": "Filesystem",
    },
    "status": {"capacity": {"storage": "2Gi"}},
}


def planned(wished: Wishes, pod: JsonObject = POD, **choices: Any) -> Plan:
    given = replace(CHOICES, wishes=wished, **choices)
    return compile_plan(pod, offline_target(pod, "web"), RULES, given, Command(("/srv/shop",), "arguments"))


def target_of(plan: Plan) -> JsonObject:
    found: JsonObject = next(c for c in plan.clone["spec"]["containers"] if c["name"] == "web")
    return found


def volume(plan: Plan, name: str) -> JsonObject:
    found: JsonObject = next(v for v in plan.clone["spec"]["volumes"] if v["name"] == name)
    return found


@pytest.mark.parametrize(
    "given",
    [
        {"pvc": ["data-0=gone"]},
        {"pvc": ["=keep"]},
        {"set_image": ["shop:2"]},
        {"set_image": ["web="]},
        {"env_changes": ["LOG"]},
        {"env_changes": ["a b=c"]},
        {"env_changes": ["="]},
        {"env_changes": ["-"]},
        {"run_as_user": "kim"},
        {"run_as_user": "-1"},
        {"run_as_user": "4294967296"},
        {"memory_limit": "much"},
        {"memory_limit": "512MB"},
    ],
)
def test_what_cannot_be_read_is_a_usage_error_with_an_example(given: dict[str, Any]) -> None:
    with pytest.raises(RescueError, match="cannot be read") as refused:
        wishes.read(None, **given)
    assert refused.value.code is ExitCode.USAGE
    assert refused.value.hint.startswith("as in: --")


def test_every_wish_is_read() -> None:
    read = wishes.read(
        "web",
        pvc=["data=keep", "clone"],
        set_image=["shop:2", "log=log:2"],
        env_changes=["A=b=c", "EMPTY=", "LOG-"],
        run_as_user="root",
        memory_limit="512Mi",
        only_target=True,
    )
    assert read == Wishes(
        claims=(("data", "keep"), ("*", "clone")),
        images=(("web", "shop:2"), ("log", "log:2")),
        env=(("A", "b=c"), ("EMPTY", "")),
        unset=("LOG",),
        memory="512Mi",
        run_as=0,
        only_target=True,
    )


@pytest.mark.parametrize(
    ("wished", "problem"),
    [
        (Wishes(claims=(("dta", "keep"),)), "the pod has no claim 'dta'"),
        (Wishes(images=(("wbe", "shop:2"),)), "the pod has no container 'wbe'"),
        (Wishes(without=("wbe",)), "the pod has no container 'wbe'"),
        (Wishes(without=("web",)), "'web' is the container to replay"),
        (Wishes(unset=("LGO",)), "has no 'LGO' to take away"),
    ],
)
def test_a_wish_about_something_that_is_not_there_is_an_error(wished: Wishes, problem: str) -> None:
    with pytest.raises(RescueError, match=problem) as refused:
        planned(wished)
    assert refused.value.code is ExitCode.USAGE


def test_variables_are_set_added_and_taken_away() -> None:
    env = target_of(planned(Wishes(env=(("LOG", "debug"), ("NEW", "1")), unset=("IP",))))["env"]
    assert env[0] == {"name": "LOG", "value": "debug"}
    assert env[-1] == {"name": "NEW", "value": "1"}
    assert "IP" not in [entry["name"] for entry in env]


@pytest.mark.parametrize(("limit", "request_"), [("8Gi", "64Mi"), ("32Mi", "32Mi")])
def test_another_limit_lowers_a_request_that_is_above_it_and_raises_none(limit: str, request_: str) -> None:
    assert target_of(planned(Wishes(memory=limit)))["resources"]["requests"]["memory"] == request_


def test_another_image_memory_and_user() -> None:
    target = target_of(planned(Wishes(images=(("web", "shop:2"),), memory="32Mi", run_as=0)))
    assert target["image"] == "shop:2"
    assert target["resources"]["limits"]["memory"] == "32Mi"
    assert target["resources"]["requests"]["memory"] == "32Mi"
    assert target["securityContext"] == {"runAsUser": 0, "runAsNonRoot": False}


def test_minimal_requests_ask_for_nothing_that_may_be_missing() -> None:
    plan = planned(Wishes(minimal_requests=True))
    assert target_of(plan)["resources"] == {
        "limits": {"memory": "64Mi"},
        "requests": {"memory": "0", "cpu": "0"},
    }
    assert any("no devices" in warning for warning in plan.warnings)


def names(plan: Plan) -> list[str]:
    spec = plan.clone["spec"]
    return [c["name"] for c in [*spec["initContainers"], *spec["containers"]] if not c["name"].startswith("rescue-")]


def test_containers_are_left_out() -> None:
    assert names(planned(Wishes())) == ["migrate", "proxy", "web", "log"]
    assert names(planned(Wishes(only_target=True))) == ["migrate", "web"]
    assert names(planned(Wishes(without=("log", "migrate")))) == ["proxy", "web"]


def test_the_downward_api_gives_what_it_gave_the_original() -> None:
    env = {entry["name"]: entry for entry in target_of(planned(Wishes()))["env"]}
    assert env["POD"] == {"name": "POD", "value": "web-0"}
    assert env["APP"] == {"name": "APP", "value": "web"}
    assert env["PRICE"] == {"name": "PRICE", "value": "5$$(x)"}, "Kubernetes must not expand it"
    assert env["IP"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}


def test_an_identity_of_its_own() -> None:
    kept, own = planned(Wishes()).clone["spec"], planned(Wishes(identity=False)).clone["spec"]
    assert (kept["hostname"], kept["subdomain"]) == ("web-0", "web")
    assert not {"hostname", "subdomain"} & own.keys()
    assert "valueFrom" in own["containers"][0]["env"][1]


def test_claims_become_empty_volumes_unless_the_user_says_otherwise() -> None:
    plan = planned(Wishes())
    assert volume(plan, "data") == {"name": "data", "emptyDir": {}}
    assert volume(plan, "scratch") == {"name": "scratch", "emptyDir": {}}


def test_a_copied_claim_is_a_generic_ephemeral_volume_with_the_claims_size() -> None:
    plan = planned(Wishes(claims=(("data", "clone"),)), claims={"data-web-0": CLAIM})
    template = volume(plan, "data")["ephemeral"]["volumeClaimTemplate"]
    assert template["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "2Gi"}},
        "dataSource": {"kind": "PersistentVolumeClaim", "name": "data-web-0"},
        "storageClassName": "fast",
        "volumeMode": "Filesystem",
    }
    assert volume(plan, "scratch") == {"name": "scratch", "emptyDir": {}}


@pytest.mark.parametrize("name", ["data", "data-web-0", "*"])
def test_a_claim_is_kept_by_the_name_of_claim_or_volume_and_only_on_the_node_that_has_it(name: str) -> None:
    found = {"data-web-0": CLAIM, "web-0-scratch": CLAIM}
    plan = planned(Wishes(claims=((name, "keep"),)), claims=found)
    assert volume(plan, "data") == {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}
    assert "node1" in str(plan.clone["spec"]["affinity"])
    assert any("writes to claim data-web-0" in warning for warning in plan.warnings)


def test_a_read_only_claim_is_read_only_twice() -> None:
    plan = planned(Wishes(claims=(("scratch", "read-only"),)), claims={"web-0-scratch": CLAIM})
    assert volume(plan, "scratch")["persistentVolumeClaim"] == {"claimName": "web-0-scratch", "readOnly": True}
    plan = planned(Wishes(claims=(("data", "read-only"),)), claims={"data-web-0": CLAIM})
    assert target_of(plan)["volumeMounts"][0] == {"name": "data", "mountPath": "/data", "readOnly": True}
    assert not any("writes to claim" in warning for warning in plan.warnings)


def claim_with(*modes: str) -> dict[str, JsonObject]:
    return {"data-web-0": {**CLAIM, "spec": {**CLAIM["spec"], "accessModes": list(modes)}}}


@pytest.mark.parametrize(
    ("wished", "found", "problem"),
    [
        (Wishes(claims=(("data", "keep"),)), {}, "claim data-web-0 cannot be read"),
        (Wishes(claims=(("data", "clone"),)), {}, "claim data-web-0 cannot be read"),
        (Wishes(claims=(("data", "keep"),)), claim_with("ReadWriteOncePod"), "no second pod can mount it"),
        (
            Wishes(claims=(("data", "keep"),), same_node=False),
            claim_with("ReadWriteOnce"),
            "can be mounted on one node only, and node1 has it",
        ),
    ],
)
def test_a_claim_that_would_let_the_clone_hang_is_refused_before(
    wished: Wishes, found: dict[str, JsonObject], problem: str
) -> None:
    with pytest.raises(RescueError, match=problem) as refused:
        planned(wished, claims=found)
    assert refused.value.code is ExitCode.REFUSED


def test_a_claim_for_many_nodes_needs_no_node() -> None:
    plan = planned(Wishes(claims=(("data", "keep"),)), claims=claim_with("ReadWriteMany"))
    assert "affinity" not in plan.clone["spec"]


DAEMON = {
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node1"]}]}
                ]
            }
        }
    }
}


@pytest.mark.parametrize(
    ("more", "wished", "pinned"),
    [
        ({}, Wishes(), False),
        ({}, Wishes(same_node=True), True),
        ({"hostNetwork": True}, Wishes(), True),
        ({"hostNetwork": True}, Wishes(same_node=False), False),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/v"}}]}, Wishes(), True),
        (DAEMON, Wishes(), True),
        (DAEMON, Wishes(same_node=False), False),
    ],
)
def test_the_clone_runs_on_the_originals_node_where_it_uses_what_is_there(
    more: JsonObject, wished: Wishes, pinned: bool
) -> None:
    pod = {**POD, "spec": {**POD["spec"], **more}}
    affinity = planned(wished, pod).clone["spec"].get("affinity")
    assert ("node1" in str(affinity)) is pinned


def test_every_term_of_an_affinity_names_the_node() -> None:
    pod = copy.deepcopy(POD)
    terms = [{"matchExpressions": [{"key": zone, "operator": "Exists"}]} for zone in ("a", "b")]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    pod["spec"]["affinity"] = {"nodeAffinity": required}
    clone = planned(Wishes(same_node=True), pod).clone["spec"]["affinity"]["nodeAffinity"]
    found = clone["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    here = {"key": "metadata.name", "operator": "In", "values": ["node1"]}
    assert found == [{**term, "matchFields": [here]} for term in terms]


def test_the_token_is_mounted_where_it_was_and_nowhere_else() -> None:
    clone = planned(Wishes()).clone["spec"]
    assert clone["automountServiceAccountToken"] is False
    assert volume(planned(Wishes()), "kube-api-access-x") == {"name": "kube-api-access-x", "projected": {"sources": []}}
    without = copy.deepcopy(POD)
    without["metadata"].pop("uid")
    del without["spec"]["containers"][0]["volumeMounts"][1]
    assert "automountServiceAccountToken" not in planned(Wishes(), without).clone["spec"]


def test_a_device_claim_is_dropped_and_said() -> None:
    pod = copy.deepcopy(POD)
    pod["spec"]["resourceClaims"] = [{"name": "gpu"}]
    pod["spec"]["containers"][0]["resources"]["claims"] = [{"name": "gpu"}]
    plan = planned(Wishes(), pod)
    assert "resourceClaims" not in plan.clone["spec"]
    assert "claims" not in target_of(plan)["resources"]
    assert any("resource claims" in warning for warning in plan.warnings)


def test_what_reaches_the_node_is_taken_away_or_said() -> None:
    pod = copy.deepcopy(POD)
    pod["spec"].update(hostPID=True, hostIPC=True, hostNetwork=True)
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    plan = planned(Wishes(), pod)
    assert not {"hostPID", "hostIPC"} & plan.clone["spec"].keys()
    said = "\n".join(plan.warnings)
    for words in ("processes of its own", "network of its node", "is privileged", "must run on node node1"):
        assert words in said


def test_what_the_clone_made_of_volumes_is_known() -> None:
    assert altered(POD, planned(Wishes()).clone, "web") == {"data": "empty", "scratch": "empty"}
    pod = copy.deepcopy(POD)
    pod["spec"]["volumes"] += [{"name": "logs", "hostPath": {"path": "/l"}}, {"name": "nfs", "nfs": {"server": "s"}}]
    pod["spec"]["containers"][0]["volumeMounts"] += [{"name": "logs", "mountPath": "/l"}]
    kept = planned(Wishes(claims=(("data", "keep"),)), pod, claims={"data-web-0": CLAIM}).clone
    assert altered(pod, kept, "web") == {"scratch": "empty", "logs": "read-only", "nfs": "read-only"}


def test_huge_pages_that_are_not_asked_for_are_not_mounted() -> None:
    pod = copy.deepcopy(POD)
    pod["spec"]["volumes"].append({"name": "huge", "emptyDir": {"medium": "HugePages-2Mi"}})
    assert volume(planned(Wishes(), pod), "huge")["emptyDir"] == {"medium": "HugePages-2Mi"}
    assert volume(planned(Wishes(minimal_requests=True), pod), "huge")["emptyDir"] == {}


def test_what_names_a_container_that_is_left_out_names_the_target_or_goes() -> None:
    pod = copy.deepcopy(POD)
    profile = "container.apparmor.security.beta.kubernetes.io/"
    pod["metadata"]["annotations"] |= {profile + "log": "runtime/default", profile + "web": "runtime/default"}
    limit = {"resourceFieldRef": {"containerName": "log", "resource": "limits.memory"}}
    pod["spec"]["containers"][0]["env"].append({"name": "LIMIT", "valueFrom": limit})
    pod["spec"]["volumes"].append({"name": "own", "downwardAPI": {"items": [{"path": "limit", **limit}]}})
    plan = planned(Wishes(only_target=True), pod)
    own = {"containerName": "web", "resource": "limits.memory"}
    assert target_of(plan)["env"][-1]["valueFrom"]["resourceFieldRef"] == own
    assert volume(plan, "own")["downwardAPI"]["items"] == [{"path": "limit", "resourceFieldRef": own}]
    assert [key for key in plan.clone["metadata"]["annotations"] if key.startswith(profile)] == [profile + "web"]
    assert sum("there it tells the target's" in warning for warning in plan.warnings) == 2
    kept = planned(Wishes(), pod)
    assert volume(kept, "own") == pod["spec"]["volumes"][-1]
    assert target_of(kept)["env"][-1]["valueFrom"] == limit


def test_a_living_pod_without_a_token_gets_none_in_its_clone() -> None:
    pod = copy.deepcopy(POD)
    del pod["spec"]["containers"][0]["volumeMounts"][1]
    assert planned(Wishes(), pod).clone["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("policy", "code", "kept"),
    [
        ("Never", 0, ["migrate", "proxy", "web"]),
        ("Never", 143, ["migrate", "proxy", "web"]),
        ("OnFailure", 0, ["migrate", "proxy", "web"]),
        ("OnFailure", 143, None),
        ("Always", 0, None),
    ],
)
def test_what_has_finished_does_not_run_again(policy: str, code: int, kept: list[str] | None) -> None:
    pod = copy.deepcopy(POD)
    pod["spec"]["restartPolicy"] = policy
    pod["status"] = {"containerStatuses": [{"name": "log", "state": {"terminated": {"exitCode": code}}}]}
    plan = planned(Wishes(), pod)
    assert names(plan) == (kept or ["migrate", "proxy", "web", "log"])
    assert any("finished already: log" in warning for warning in plan.warnings) is bool(kept)


def test_a_mesh_does_not_come_back_to_a_clone_that_runs_alone() -> None:
    pod = copy.deepcopy(POD)
    pod["metadata"]["annotations"]["dapr.io/enabled"] = "true"
    metadata = planned(Wishes(only_target=True), pod).clone["metadata"]
    assert metadata["labels"]["sidecar.istio.io/inject"] == "false"
    assert (metadata["annotations"]["dapr.io/enabled"], metadata["annotations"]["linkerd.io/inject"]) == (
        "false",
        "disabled",
    )


def test_labels_that_webhooks_read_stay_where_no_selector_is_known() -> None:
    pod = copy.deepcopy(POD)
    pod["metadata"]["labels"]["sidecar.istio.io/inject"] = "false"
    labels = planned(Wishes(), pod, quarantine=None).clone["metadata"]["labels"]
    assert labels == {"sidecar.istio.io/inject": "false", "app.kubernetes.io/managed-by": "rescue"}


def test_a_windows_manifest_is_refused() -> None:
    pod = copy.deepcopy(POD)
    pod["spec"]["os"] = {"name": "windows"}
    with pytest.raises(RescueError, match="a Windows pod"):
        offline_target(pod, "web")


def test_a_socket_of_the_node_is_warned_of() -> None:
    pod = copy.deepcopy(POD)
    pod["spec"]["volumes"].append({"name": "cri", "hostPath": {"path": "/run/containerd/containerd.sock"}})
    assert any("containerd.sock" in warning for warning in planned(Wishes(), pod).warnings)


def test_what_is_said_last_of_a_variable_counts() -> None:
    assert wishes.env(["A=1", "B=1", "A=2", "B-", "C-", "C=x=y"]) == ((("A", "2"), ("C", "x=y")), ("B",))
