"""The plan: safe for every recorded pod, plain RFC 6902, and honest about what it cannot do."""

import copy
import json
import re
from typing import Any

import jsonpatch
import pytest

from rescue.dump import dump
from rescue.errors import ExitCode, RescueError
from rescue.image import pinned_image
from rescue.manifest import load_all
from rescue.model import Command, Plan, Target
from rescue.placeholders import Choices, clone_name
from rescue.plan import compile_plan
from rescue.rulebook import load_rules
from rescue.rules import parse
from rescue.triage import offline_target

from .recorded import names, recorded

RULES = load_rules((), ())
CHOICES = Choices("x2b4c", "2026-01-01T00:00:00Z", "kim@desk", "busybox:1.37.0-musl", 3600, frozenset({"app"}))


def planned(pod: Any, container: str | None = None, command: tuple[str, ...] = ("/srv/app",), **more: Any) -> Plan:
    target: Target = offline_target(pod, container)
    given = Command(command, "arguments")
    return compile_plan(pod, target, more.get("rules", RULES), more.get("choices", CHOICES), given)


@pytest.mark.parametrize("name", names())
def test_the_patch_alone_makes_the_clone_and_the_original_is_not_touched(name: str) -> None:
    pod = recorded(name)["last"]
    before = copy.deepcopy(pod)
    plan = planned(pod)
    assert pod == before
    assert jsonpatch.apply_patch(before, json.loads(json.dumps(plan.patch))) == plan.clone


@pytest.mark.parametrize("name", names())
def test_nothing_that_harms_production_is_left(name: str) -> None:
    clone = planned(recorded(name)["last"]).clone
    text = json.dumps(clone["spec"])
    for word in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "persistentVolumeClaim", "nodeName"):
        assert f'"{word}"' not in text
    assert set(clone["metadata"]) == {"name", "namespace", "labels", "annotations"}
    assert "app" not in clone["metadata"]["labels"]
    assert clone["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "rescue"
    assert clone["spec"]["readinessGates"][-1] == {"conditionType": "rescue.dev/never"}
    assert (clone["spec"]["restartPolicy"], clone["spec"]["activeDeadlineSeconds"]) == ("Always", 3600)
    assert "status" not in clone


def test_what_an_alias_of_yaml_shares_is_changed_in_one_place_only() -> None:
    probe = {"exec": {"command": ["true"]}}
    resources = {"limits": {"memory": "64Mi"}}
    text = "rules:\n  - {id: mine, op: add, path: '$.spec.containers[0].resources.limits', key: cpu, value: '1'}"
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["spec"]["containers"] = [
        {"name": name, "image": "shop:1", "resources": resources, "livenessProbe": probe} for name in ("a", "b")
    ]
    plan = planned(pod, rules=[*RULES, *parse(text, "mine.yaml")])
    assert [c["resources"].get("limits") for c in plan.clone["spec"]["containers"][:2]] == [
        {"memory": "64Mi", "cpu": "1"},
        {"memory": "64Mi"},
    ]
    assert jsonpatch.apply_patch(json.loads(json.dumps(pod)), json.loads(json.dumps(plan.patch))) == plan.clone


def test_the_target_holds_and_keeps_everything_else() -> None:
    pod = recorded("sidecar")["last"]
    clone = planned(pod, command=tuple(pod["spec"]["containers"][0]["command"])).clone
    original = pod["spec"]["containers"][0]
    held, keeper = clone["spec"]["containers"]
    assert held["command"][:2] == ["/.rescue/busybox", "sh"]
    assert held["args"] == original["command"]
    kept = {key: value for key, value in original.items() if key not in ("command", "volumeMounts")}
    assert {key: held[key] for key in kept} == kept
    assert keeper["name"] == "rescue-keeper"
    assert [c["name"] for c in clone["spec"]["initContainers"]] == ["rescue-toolkit", "proxy"]


def test_what_is_added_satisfies_pod_security_restricted() -> None:
    spec = planned(recorded("oom")["last"]).clone["spec"]
    for container in (spec["initContainers"][0], spec["containers"][-1]):
        context = container["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_a_crashing_init_container_becomes_the_only_app_container() -> None:
    clone = planned(recorded("init-crash")["last"], "migrate", ("sh", "-c", "echo migrating; exit 7")).clone
    assert [c["name"] for c in clone["spec"]["containers"]] == ["migrate", "rescue-keeper"]
    assert [c["name"] for c in clone["spec"]["initContainers"]] == ["rescue-toolkit", "prepare"]
    assert clone["spec"]["containers"][0]["args"] == ["sh", "-c", "echo migrating; exit 7"]


def test_without_known_selectors_every_label_goes() -> None:
    pod = copy.deepcopy(recorded("gate")["last"])
    pod["metadata"]["labels"]["tier"] = "web"
    unknown = Choices(**{**CHOICES.__dict__, "quarantine": None})
    assert planned(pod, choices=unknown).clone["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "rescue"}
    assert planned(pod).clone["metadata"]["labels"] == {"tier": "web", "app.kubernetes.io/managed-by": "rescue"}
    annotations = planned(pod).clone["metadata"]["annotations"]
    assert json.loads(annotations["rescue.dev/source-labels"]) == {"app": "gate", "tier": "web"}


def test_a_claim_becomes_an_empty_volume() -> None:
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["spec"]["volumes"] += [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}},
    ]
    volumes = planned(pod).clone["spec"]["volumes"]
    assert {"name": "data", "emptyDir": {}} in volumes
    assert {"name": "scratch", "emptyDir": {}} in volumes


def test_a_users_rule_cannot_bring_back_what_another_forbids() -> None:
    probe = (
        "rules:\n  - {id: mine, op: add, path: '$.spec.containers[0]', key: livenessProbe, value: {httpGet: {port: 1}}}"
    )
    mine = parse(probe, "mine.yaml")
    with pytest.raises(RescueError, match="rule no-probes forbids") as refused:
        planned(recorded("oom")["last"], rules=[*RULES, *mine])
    assert refused.value.code is ExitCode.REFUSED
    without = [rule for rule in RULES if rule.id != "no-probes"]
    assert "livenessProbe" in planned(recorded("oom")["last"], rules=[*without, *mine]).clone["spec"]["containers"][0]


def test_a_rule_that_does_not_fit_is_refused() -> None:
    for text in (
        "rules:\n  - {id: mine, op: replace, path: $.spec.nope, value: 1, missing: fail}",
        "rules:\n  - {id: mine, op: add, path: /spec/nope/deep, value: 1}",
    ):
        with pytest.raises(RescueError, match="rule mine") as refused:
            planned(recorded("oom")["last"], rules=[*RULES, *parse(text, "mine.yaml")])
        assert refused.value.code is ExitCode.REFUSED


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("/metadata", None, "metadata is missing"),
        ("/metadata/name", 3, "metadata.name is not a string"),
        ("/metadata/annotations", "x", "metadata.annotations is not a map of strings"),
        ("/spec", [], "spec is not a map"),
        ("/spec/containers/0", None, "spec.containers is not a list of maps"),
        ("/spec/containers/0", {"name": "app"}, r"spec.containers\[0\].image is missing"),
        ("/spec/volumes/0", {"name": "data", "hostPath": "/"}, r"spec.volumes\[0\].hostPath is not a map"),
    ],
)
def test_a_rule_that_makes_no_pod_is_refused(path: str, value: Any, problem: str) -> None:
    rule = {"id": "mine", "op": "add", "path": path, "value": value}
    rules = [*RULES, *parse(json.dumps({"rules": [rule]}), "mine.yaml")]
    with pytest.raises(RescueError, match=f"no server would take: {problem}") as refused:
        planned(recorded("oom")["last"], rules=rules)
    assert refused.value.code is ExitCode.REFUSED


@pytest.mark.parametrize("pod", ["a", "web-0", "x" * 253, "a.b.c", "ends-in-dash-" + "y" * 40 + "-.-z"])
def test_a_clone_name_is_a_dns_label_and_no_member_of_a_set(pod: str) -> None:
    name = clone_name(pod, "x2b4c")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert not re.search(r"-\d+$", name)


@pytest.mark.parametrize(
    ("image", "image_id", "pinned"),
    [
        ("nginx:1", "docker.io/library/nginx@sha256:1", "docker.io/library/nginx@sha256:1"),
        ("reg:5000/a/b:1", "reg:5000/a/b@sha256:1", "reg:5000/a/b@sha256:1"),
        ("nginx:1", "docker-pullable://docker.io/library/nginx@sha256:1", "docker.io/library/nginx@sha256:1"),
        ("nginx:1", "sha256:464a", "nginx:1"),  # loaded by hand: no digest in any registry
        ("nginx:1", "docker.io/library/import-2026@sha256:1", "nginx:1"),  # loaded into kind
        ("nginx:1", "", "nginx:1"),
    ],
)
def test_the_image_is_pinned_only_to_a_digest_of_its_own_repository(image: str, image_id: str, pinned: str) -> None:
    container = {"name": "a", "image": image}
    assert pinned_image({"status": {"containerStatuses": [{"name": "a", "imageID": image_id}]}}, container) == pinned


@pytest.mark.parametrize("name", names())
def test_the_yaml_is_the_clone_with_its_key_order(name: str) -> None:
    clone = planned(recorded(name)["last"]).clone
    assert load_all(dump(clone), "clone") == [clone]
    assert list(load_all(dump(clone), "clone")[0]) == list(clone)


def test_a_host_path_and_a_share_are_read_only_in_the_clone() -> None:
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["spec"]["volumes"] += [
        {"name": "logs", "hostPath": {"path": "/var/log"}},
        {"name": "files", "nfs": {"server": "files", "path": "/"}},
    ]
    pod["spec"]["containers"][0]["volumeMounts"].append({"name": "logs", "mountPath": "/logs"})
    spec = planned(pod).clone["spec"]
    assert {"name": "logs", "mountPath": "/logs", "readOnly": True} in spec["containers"][0]["volumeMounts"]
    assert {"name": "files", "nfs": {"server": "files", "path": "/", "readOnly": True}} in spec["volumes"]


@pytest.mark.parametrize(
    ("name", "hostname"),
    [("web-0", "web-0"), ("x" * 70, "x" * 63), ("x" * 62 + "-y", "x" * 62), ("a.b", None)],
)
def test_the_host_name_is_what_the_kubelet_made_of_the_name(name: str, hostname: str | None) -> None:
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["metadata"]["name"] = name
    assert planned(pod).clone["spec"].get("hostname") == hostname


def test_the_toolkit_takes_no_room_from_what_the_whole_pod_may_use() -> None:
    pod = copy.deepcopy(recorded("oom")["last"])
    keeper = planned(pod).clone["spec"]["containers"][-1]
    assert keeper["resources"]["limits"] == {"cpu": "1", "memory": "128Mi"}
    pod["spec"]["resources"] = {"limits": {"memory": "64Mi", "cpu": "500m"}}
    clone = planned(pod).clone["spec"]
    assert clone["resources"] == pod["spec"]["resources"]
    assert "resources" not in clone["containers"][-1]
    assert "resources" not in clone["initContainers"][0]


@pytest.mark.parametrize(
    ("group", "item"),
    [
        ("volumes", {"name": "rescue", "configMap": {"name": "rescue"}}),
        ("containers", {"name": "rescue-keeper", "image": "other:1"}),
    ],
)
def test_a_name_of_ours_that_the_pod_uses_for_something_else_is_refused(group: str, item: Any) -> None:
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["spec"][group].append(item)
    with pytest.raises(RescueError, match=f"/spec/{group} has another '{item['name']}'") as refused:
        planned(pod)
    assert refused.value.code is ExitCode.REFUSED


def test_a_second_mount_of_one_volume_is_not_taken_for_the_first() -> None:
    text = "rules:\n  - {id: mine, op: add, path: '$.spec.containers[0]', key: volumeMounts/-, value: %s}"
    mount = {"name": "data", "mountPath": "/again"}
    pod = copy.deepcopy(recorded("oom")["last"])
    pod["spec"]["volumes"].append({"name": "data", "emptyDir": {}})
    pod["spec"]["containers"][0]["volumeMounts"].append({"name": "data", "mountPath": "/data"})
    clone = planned(pod, rules=[*RULES, *parse(text % json.dumps(mount), "mine.yaml")]).clone
    assert mount in clone["spec"]["containers"][0]["volumeMounts"]


@pytest.mark.parametrize("rule", ["managed-by", "source-pod", "expires"])
def test_a_clone_without_its_marks_is_refused(rule: str) -> None:
    rules = load_rules((), (rule,))
    with pytest.raises(RescueError, match="could not be told from other pods") as refused:
        planned(recorded("oom")["last"], rules=rules)
    assert refused.value.code is ExitCode.REFUSED


@pytest.mark.parametrize(
    "rule", ["hold-command", "hold-arguments", "keeper", "toolkit-copy", "toolkit-mount", "toolkit-volume"]
)
def test_a_rule_that_every_replay_needs_cannot_be_skipped(rule: str) -> None:
    with pytest.raises(RescueError, match=f"no replay is possible without rule {rule}: .") as refused:
        load_rules((), ("no-probes", rule))
    assert refused.value.code is ExitCode.REFUSED
