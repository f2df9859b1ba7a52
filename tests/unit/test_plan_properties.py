"""What holds for every plan, tried on pods that are drawn from the published OpenAPI schema."""

import copy
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import replace

import jsonpatch
import jsonpath
import pytest
from hypothesis import HealthCheck, given, settings
from kubernetes_validate.utils import validate

from rescue import claims, labels
from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject, Plan
from rescue.options import Wishes
from rescue.plan import compile_plan
from rescue.sandbox import decode, defaults, schema, validation
from rescue.sandbox.resources import BY_PLURAL
from rescue.triage import choose_target, offline_target

from .consistent import mounts
from .faithful import differences
from .harmless import COMMAND, adopted, problems, rules
from .pod_strategies import Case, cases, selectors
from .repaired import containers

PODS = BY_PLURAL["pods"]
# The same pods each time, and as many as take a few seconds for each property.
every = settings(
    derandomize=True, database=None, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)


def planned(case: Case) -> Plan:
    return compile_plan(case.pod, case.target, rules(), case.choices, case.command)


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
    validate(clone, schema.VERSION, strict=True)
    assert re.fullmatch(r"rescue-[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", clone["metadata"]["name"])
    assert len(clone["metadata"]["name"]) <= 63


@every
@given(cases())
def test_nothing_that_harms_others_is_left(case: Case) -> None:
    assert harms(case, planned(case).clone) == []


@every
@given(cases(), selectors())
def test_a_clone_is_made_exactly_when_no_controller_would_adopt_it(case: Case, known: dict[str, JsonObject]) -> None:
    keys = None if case.choices.quarantine is None else labels.keys(known.values())
    unaware = replace(case, choices=replace(case.choices, quarantine=keys, selectors={}))
    aware = replace(unaware, choices=replace(unaware.choices, selectors=known))
    if any(adopted(planned(unaware).clone, known.values())):
        with pytest.raises(RescueError, match="would adopt the clone"):
            planned(aware)
    else:
        assert planned(aware) == planned(unaware)


def harms(case: Case, clone: JsonObject) -> list[str]:
    """What in a clone could do harm to others, unless the user wished it."""
    modes = claims.modes(case.pod, case.choices.wishes)
    wished = [name for name, mode in modes.items() if mode != claims.EMPTY]
    read_only = [name for name, mode in modes.items() if mode == claims.READ_ONLY]
    selectors = None if case.choices.quarantine is None else case.choices.selectors.values()
    return [*problems(clone, selectors, wished), *written(clone, read_only)]


def written(clone: JsonObject, read_only: Collection[str]) -> Iterator[str]:
    """Volumes that must not be written to, but can be."""
    for volume in clone["spec"].get("volumes", ()):
        if volume["name"] in read_only and not volume["persistentVolumeClaim"].get("readOnly"):
            yield f"claim of {volume['name']} can be written"
    for container, mount in mounts(clone):
        if mount["name"] in read_only and not mount.get("readOnly"):
            yield f"container {container} writes to {mount['name']}"


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


@every
@given(cases())
def test_without_wishes_the_target_is_the_same_container(case: Case) -> None:
    plain = replace(case, command=COMMAND, choices=replace(case.choices, wishes=Wishes(), scout=False))
    assert differences(plain.pod, planned(plain).clone, plain.target.container) == []


def own_field(entry: JsonObject) -> bool:
    """Whether a variable tells what differs between the original and its clone."""
    text = json.dumps(entry)
    return '"metadata.' in text or "containerName" in text


@every
@given(cases())
def test_no_clone_and_no_scout_is_a_pod_to_rescue(case: Case) -> None:
    made = planned(case).clone
    with pytest.raises(RescueError, match="is itself a clone") as offline:
        offline_target(made, case.target.container)
    running = {"phase": "Running", "containerStatuses": []}
    with pytest.raises(RescueError, match="is itself a clone") as live:
        choose_target({**made, "status": running}, None, None)
    assert offline.value.code is live.value.code is ExitCode.REFUSED
