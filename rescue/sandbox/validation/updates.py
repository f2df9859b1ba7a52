"""What an update may change."""

import difflib
import json
from collections.abc import Iterator

from rescue.sandbox.objects import Object, copy
from rescue.sandbox.status import FieldError, forbidden_field, invalid_value

_POD_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


def pod_errors(old: Object, new: Object) -> Iterator[FieldError]:
    """A pod's spec is fixed but for images, a shorter deadline, more tolerations and lifted gates.

    The real server ends the message with a diff of its internal structs; here it is one of the JSON.
    """
    before, after = old.get("spec", {}), new.get("spec", {})
    yield from _deadline(before, after)
    allowed = _with_allowed_changes(before, after)
    if allowed != before:
        yield forbidden_field("spec", _POD_TEXT + _difference(before, allowed))


def _deadline(before: Object, after: Object) -> Iterator[FieldError]:
    old, new = before.get("activeDeadlineSeconds"), after.get("activeDeadlineSeconds")
    field = "spec.activeDeadlineSeconds"
    if old is not None and new is None:
        yield invalid_value(field, None, "must not update from a positive integer to nil value")
    elif old is not None and new > old:
        yield invalid_value(field, new, "must be less than or equal to previous value")


def _with_allowed_changes(before: Object, after: Object) -> Object:
    """``after`` with every permitted change undone."""
    undone = copy(after)
    for field in ("activeDeadlineSeconds",):
        _restore(undone, before, field)
    if all(toleration in after.get("tolerations", []) for toleration in before.get("tolerations", [])):
        _restore(undone, before, "tolerations")
    gates = before.get("schedulingGates", [])
    if all(gate in gates for gate in after.get("schedulingGates", [])):
        _restore(undone, before, "schedulingGates")
    for group in ("initContainers", "containers"):
        for mine, theirs in zip(undone.get(group, []), before.get(group, []), strict=False):
            mine["image"] = theirs["image"]
    return undone


def _restore(target: Object, source: Object, field: str) -> None:
    target.pop(field, None)
    if field in source:
        target[field] = source[field]


def _difference(before: Object, after: Object) -> str:
    old, new = (json.dumps(spec, indent=1, sort_keys=True).splitlines() for spec in (before, after))
    return "\n".join(list(difflib.unified_diff(old, new, lineterm=""))[2:]) + "\n"


def selector_errors(old: Object, new: Object) -> Iterator[FieldError]:
    """The selector of a workload never changes."""
    selector = new.get("spec", {}).get("selector")
    if selector != old.get("spec", {}).get("selector"):
        yield invalid_value("spec.selector", selector, "field is immutable")


def immutable_data_errors(old: Object, new: Object) -> Iterator[FieldError]:
    """A ConfigMap or Secret marked ``immutable`` keeps its data."""
    if old.get("immutable"):
        for field in ("data", "binaryData", "immutable"):
            if old.get(field) != new.get(field):
                yield forbidden_field(field, "field is immutable when `immutable` is set")
    if "type" in old and old["type"] != new.get("type"):
        yield invalid_value("type", new.get("type"), "field is immutable")
