"""What holds for every plan, tried on pods that are drawn from the published OpenAPI schema."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import jsonpatch
import jsonpath
from hypothesis import HealthCheck, given, settings
from kubernetes_validate.utils import validate

from rescue import claims
from rescue.model import JsonObject, Plan
from rescue.options import Wishes
from rescue.placeholders import MANAGED_BY
from rescue.plan import compile_plan
from rescue.rulebook import load_rules
from rescue.sandbox import decode, defaults, quantity, schema, validation
from rescue.sandbox.resources import BY_PLURAL
from rescue.triage import offline_target

from .harmless import WEBHOOK_LABELS
from .pod_strategies import APPARMOR, Case, cases, containers, resource_fields

RULES = load_rules((), ())
PODS = BY_PLURAL["pods"]
# The same pods each time, and as many as take a few seconds for each property.
every = settings(
    derandomize=True, database=None, deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow]
)

SPEC = (
    "nodeName schedulingGates schedulingGroup priority priorityClassName preemptionPolicy overhead hostPID hostIPC"
    " resourceClaims ephemeralContainers topologySpreadConstraints"
)
CONTAINER = "livenessProbe readinessProbe startupProbe lifecycle"
MAIN_CONTAINER = "restartPolicy restartPolicyRules"
HOST_DATA = {"hostPath", "flocker", "photonPersistentDisk", "vsphereVolume"}
CLAIMS = {"persistentVolumeClaim", "ephemeral"}


def planned(case: Case) -> Plan:
    return compile_plan(case.pod, case.target, RULES, case.choices, case.command)


def complaints(pod: JsonObject) -> list[str]:
    """What a server says against creating the pod."""
    decoded, unknown = decode.decode(json.loads(json.dumps(pod)), PODS)
    errors = validation.check(defaults.apply(decoded, PODS), PODS)
    return [*unknown, *(f"{error.field}: {error.text}" for error in errors)]


@every
@given(cases())
def test_the_pods_that_are_drawn_are_valid(case: Case) -> None:
    spec = {key: value for key, value in case.pod["spec"].items() if key != "ephemeralContainers"}
    assert complaints({**case.pod, "spec": spec}) == []


@every
@given(cases())
def test_a_clone_is_a_valid_pod_with_a_name_of_its_own(case: Case) -> None:
    clone = planned(case).clone
    assert complaints(clone) == []
    assert [*beyond(clone)] == []
    validate(clone, schema.VERSION, strict=True)
    assert re.fullmatch(r"rescue-[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", clone["metadata"]["name"])
    assert len(clone["metadata"]["name"]) <= 63


def beyond(clone: JsonObject) -> Iterator[str]:
    """What servers and kubelets refuse although neither the schema nor the sandbox says so."""
    spec, names = clone["spec"], {container["name"] for container in containers(clone["spec"])}
    for key in clone["metadata"]["annotations"]:
        if key.startswith(APPARMOR) and key.removeprefix(APPARMOR) not in names:
            yield f"{key}: container not found"
    for selector in resource_fields(spec):
        if selector.get("containerName", "") not in {"", *names}:
            yield f"resourceFieldRef: no container {selector['containerName']}"
    affinity = spec.get("affinity", {}).get("podAffinity", {})
    if "LabelKeys" in json.dumps(affinity):
        yield "podAffinity: a key exists in both matchLabelKeys and labelSelector"
    asked = [container.get("resources", {}) for container in spec["containers"]]
    whole = spec.get("resources", {})
    for group, combine in (("requests", sum), ("limits", max)):
        amounts = [quantity.parse(each.get(group, {}).get("memory", "0")) for each in asked]
        if "memory" in whole.get(group, {}) and combine(amounts) > quantity.parse(whole[group]["memory"]):
            yield f"spec.resources.{group}: less than that of the containers"


@every
@given(cases())
def test_nothing_that_harms_others_is_left(case: Case) -> None:
    assert [*harms(case, planned(case).clone)] == []


def harms(case: Case, clone: JsonObject) -> Iterator[str]:
    """What in a clone could do harm to others, or bind it to what is theirs."""
    spec, metadata = clone["spec"], clone["metadata"]
    yield from (clone.keys() - {"apiVersion", "kind", "metadata", "spec"})
    yield from (metadata.keys() - {"name", "namespace", "labels", "annotations"})
    yield from (f"label {key}" for key in selected(case, metadata["labels"]))
    yield from (field for field in SPEC.split() if field in spec)
    yield from (field for c in containers(spec) for field in CONTAINER.split() if field in c)
    yield from (field for c in spec["containers"] for field in MAIN_CONTAINER.split() if field in c)
    yield from ("hostPort" for c in containers(spec) for port in c.get("ports", ()) if "hostPort" in port)
    yield from ("claims" for c in containers(spec) if "claims" in c.get("resources", {}))
    yield from ("podAntiAffinity" for key in spec.get("affinity", {}) if key == "podAntiAffinity")
    yield from (
        f"hostNetwork ports of {c['name']}" for c in containers(spec) if spec.get("hostNetwork") and "ports" in c
    )
    if {"conditionType": "rescue.dev/never"} not in spec["readinessGates"]:
        yield "no readiness gate"
    yield from shared(case, spec)


def selected(case: Case, labels: JsonObject) -> list[str]:
    """The clone's labels that a controller may select by."""
    keys, unselected = case.choices.quarantine, {MANAGED_BY, *WEBHOOK_LABELS}
    return [key for key in labels.keys() - unselected if keys is None or key in keys or key == "pod-template-hash"]


def shared(case: Case, spec: JsonObject) -> Iterator[str]:
    """Volumes through which the clone could write to the data of others, unless the user wished it."""
    modes = claims.modes(case.pod, case.choices.wishes)
    written = {
        mount["name"] for c in containers(spec) for mount in c.get("volumeMounts", ()) if not mount.get("readOnly")
    }
    for volume in spec.get("volumes", ()):
        name, sources = volume["name"], volume.keys() - {"name"}
        mode = modes.get(name, claims.EMPTY)
        if sources & CLAIMS and mode == claims.EMPTY:
            yield f"claim of {name}"
        if "persistentVolumeClaim" in sources and mode == claims.READ_ONLY:
            yield from [] if volume["persistentVolumeClaim"].get("readOnly") else [f"claim of {name} can be written"]
        if name in written and (sources & HOST_DATA or mode == claims.READ_ONLY):
            yield f"mount of {name} can be written"


@every
@given(cases())
def test_the_patch_alone_makes_the_clone_by_any_implementation(case: Case) -> None:
    before = copy.deepcopy(case.pod)
    plan = planned(case)
    assert case.pod == before, "the original was touched"
    text = json.dumps(plan.patch)
    assert jsonpatch.apply_patch(before, json.loads(text)) == plan.clone
    assert jsonpath.JSONPatch(json.loads(text)).apply(copy.deepcopy(case.pod)) == plan.clone
    assert planned(case) == plan, "equal inputs, equal plans"


@every
@given(cases())
def test_the_target_is_replayed_as_it_was(case: Case) -> None:
    clone = planned(case).clone
    before = next(c for c in containers(case.pod["spec"]) if c["name"] == case.target.container)
    after = next(c for c in clone["spec"]["containers"] if c["name"] == case.target.container)
    if not case.choices.scout:
        assert after["args"] == list(case.command.argv)
        assert after["command"][0] == "/.rescue/busybox"
        assert [mount for mount in after["volumeMounts"] if mount["mountPath"] == "/.rescue"]
    for field in ("workingDir", "tty", "stdin", "envFrom", "terminationMessagePath"):
        assert after.get(field) == before.get(field)
    changed = {*dict(case.choices.wishes.env), *case.choices.wishes.unset}
    kept = [entry for entry in before.get("env", ()) if entry["name"] not in changed and not own_field(entry)]
    assert [entry for entry in after.get("env", ()) if entry in kept] == kept


def own_field(entry: JsonObject) -> bool:
    """Whether a variable tells what differs between the original and its clone."""
    text = json.dumps(entry)
    return '"metadata.' in text or "containerName" in text


@every
@given(cases())
def test_a_clone_of_a_clone_differs_in_its_marks_alone(case: Case) -> None:
    if case.choices.scout:
        case = replace(case, choices=replace(case.choices, scout=False))
    first = planned(case).clone
    own = Wishes(identity=case.choices.wishes.identity)
    choices = replace(case.choices, wishes=own)
    second = planned(Case(first, offline_target(first, case.target.container), case.command, choices)).clone
    without_claims = replace(case.choices.wishes, claims=())
    if without_claims == case.choices.wishes:
        assert unmarked(second, first) == unmarked(first, first)
    assert complaints(second) == []
    assert [*harms(replace(case, choices=choices), second)] == []


def unmarked(clone: JsonObject, first: JsonObject) -> JsonObject:
    """A clone without what says whose it is; the host name is one of that where the original's could not be kept."""
    metadata = {key: value for key, value in clone["metadata"].items() if key != "name"}
    annotations = {key: value for key, value in metadata["annotations"].items() if not key.startswith("rescue.dev/")}
    spec = {key: value for key, value in clone["spec"].items() if key != "hostname" or key in first["spec"]}
    return {**clone, "metadata": {**metadata, "annotations": annotations}, "spec": spec}
