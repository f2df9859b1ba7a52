"""Which controllers would take a pod without an owner for one of their own.  Pure."""

from collections.abc import Mapping

from rescue import labels
from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject


def refuse_adopted(clone: JsonObject, selectors: Mapping[str, JsonObject]) -> None:
    """Raise RescueError (refused) for a clone that a controller would adopt: a surplus pod is deleted, its own or ours.

    To take labels away keeps no clone from a selector of operators like NotIn, and our own label may be selected by.
    """
    carried = clone["metadata"].get("labels") or {}
    for controller, selector in selectors.items():
        # Kubernetes' own controllers take an empty selector for one that matches nothing.
        if selector and labels.matches(selector, carried):
            raise RescueError(
                f"{controller} would adopt the clone, because its selector matches the labels of the clone: {carried}",
                "with --patch, add a label to /metadata/labels that this selector does not match",
                ExitCode.REFUSED,
            )
