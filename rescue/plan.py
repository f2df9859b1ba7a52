"""From a pod's manifest and the rules to the clone's manifest, as an RFC 6902 patch with a reason for each change.

Pure: the random suffix and the time are arguments.
"""

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jsonpatch

from rescue import jsonpath
from rescue.errors import ExitCode, RescueError
from rescue.model import Change, Command, JsonObject, Plan, Target
from rescue.rules import Rule, fill

NAME_LIMIT = 63  # A pod's name is its hostname, a DNS label (RFC 1123).
SUFFIX_LENGTH = 5
MANAGED_BY = "app.kubernetes.io/managed-by"  # Not taken away but overwritten, so no selector matches its value.


@dataclass(frozen=True)
class Choices:
    """What a plan depends on besides the pod and the rules.

    ``quarantine`` holds the label keys that some controller selects by; None when they are not known, then all go.
    """

    suffix: str
    expires: str
    user: str
    toolkit_image: str
    ttl_seconds: int
    quarantine: frozenset[str] | None


def clone_name(pod: str, suffix: str) -> str:
    """``rescue-<pod>-<suffix>``, at most 63 characters, and never ``<set>-<ordinal>``."""
    room = NAME_LIMIT - len("rescue--") - SUFFIX_LENGTH
    middle = pod[:room].replace(".", "-").strip("-")
    return f"rescue-{middle}-{suffix}"


def original_command(container: JsonObject, override: Sequence[str]) -> Command:
    """The argv to replay; raises RescueError (refused) when only the image knows it."""
    if override:
        return Command(tuple(override), "arguments")
    if container.get("command"):
        return Command((*container["command"], *container.get("args", ())), "spec")
    name = container["name"]
    raise RescueError(
        f"container {name!r} sets no command: it runs the entrypoint of its image, which the API does not show",
        f"give it after --, as in: rescue pod … -c {name} -- /path/to/program ARG…",
        ExitCode.REFUSED,
    )


def find_container(pod: JsonObject, name: str) -> JsonObject:
    """The container or init container of that name; raises RescueError (usage) when there is none."""
    spec = pod["spec"]
    everyone = [*spec.get("containers", ()), *spec.get("initContainers", ())]
    for container in everyone:
        if container["name"] == name:
            return dict(container)
    names = ", ".join(container["name"] for container in everyone)
    raise RescueError(f"the pod has no container {name!r}", f"it has: {names}", ExitCode.USAGE)


def _repository(image: str) -> str:
    """``registry/path`` of an image reference, without tag and digest, as the container runtime normalises it."""
    name = image.split("@")[0]
    head, _, tail = name.rpartition("/")
    name = f"{head}/{tail.split(':')[0]}" if head else tail.split(":")[0]
    first, _, rest = name.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if rest else f"docker.io/library/{name}"


def pinned_image(pod: JsonObject, container: JsonObject) -> str:
    """The image at the digest that the status reports; as it is when an image was loaded by hand and has none."""
    status = pod.get("status", {})
    image = str(container["image"])
    for entry in [*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())]:
        if entry["name"] == container["name"]:
            pinned = str(entry.get("imageID", "")).removeprefix("docker-pullable://")
            if "@" in pinned and _repository(pinned) == _repository(image):
                return pinned
    return image


def _earlier_inits(pod: JsonObject, name: str) -> list[JsonObject]:
    earlier: list[JsonObject] = []
    for container in pod["spec"].get("initContainers", ()):
        if container["name"] == name:
            break
        earlier.append(container)
    return earlier


def placeholder_values(pod: JsonObject, target: Target, command: Command, choices: Choices) -> JsonObject:
    """A value for every name of ``rules.PLACEHOLDERS``."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    container = find_container(pod, target.container)
    selected = set(labels) if choices.quarantine is None else set(labels) & choices.quarantine
    return {
        "clone.expires": choices.expires,
        "clone.name": clone_name(metadata["name"], choices.suffix),
        "clone.quarantine": sorted(selected - {MANAGED_BY}),
        "clone.ttlSeconds": choices.ttl_seconds,
        "source.command": list(command.argv),
        "source.container": target.container,
        # Volume names are DNS labels, so they need no escape in a regular expression.
        "source.hostPaths": "|".join(v["name"] for v in pod["spec"].get("volumes") or () if "hostPath" in v),
        "source.labels": json.dumps(labels, sort_keys=True),
        "source.pod": metadata["name"],
        "source.uid": metadata.get("uid", ""),
        "source.user": choices.user,
        "target.asContainers": [container],
        "target.container": target.container,
        "target.earlierInits": _earlier_inits(pod, target.container),
        "target.image": pinned_image(pod, container),
        "target.isInit": target.is_init,
        "toolkit.image": choices.toolkit_image,
    }


def _pointers(rule: Rule, document: JsonObject, values: JsonObject) -> list[str]:
    found = jsonpath.pointers(fill(rule.path, values), document)
    if not rule.path.startswith("$") and not jsonpath.exists(found[0], document) and rule.op != "add":
        found = []
    if not found and rule.missing == "fail":
        raise RescueError(
            f"rule {rule.id} ({rule.where}): nothing at {fill(rule.path, values)}",
            f"this pod has not the shape the rule needs; leave it out with --skip-rule {rule.id}",
            ExitCode.REFUSED,
        )
    return found


def _same_item(items: list[Any], value: Any) -> bool:
    """Whether a list has this item already, by its name where it has one."""
    if isinstance(value, dict) and "name" in value:
        return any(isinstance(item, dict) and item.get("name") == value["name"] for item in items)
    return value in items


def _missing_parents(pointer: str, document: JsonObject) -> list[JsonObject]:
    """``add`` operations for the containers that ``pointer`` needs above itself."""
    tokens = pointer.split("/")
    parents = ("/".join(tokens[:size]) for size in range(2, len(tokens)))
    absent = [parent for parent in parents if not jsonpath.exists(parent, document)]
    made: list[JsonObject] = []
    for parent in absent:
        child = tokens[parent.count("/") + 1]
        made.append({"op": "add", "path": parent, "value": [] if child in ("-", "0") else {}})
    return made


def _write(rule: Rule, pointer: str, value: Any, document: JsonObject) -> list[JsonObject]:
    """The operations of an ``add`` or ``replace`` at one place; none when it is so already."""
    parent, _, last = pointer.rpartition("/")
    existing = jsonpath.resolve(parent, document) if jsonpath.exists(parent, document) else None
    if isinstance(existing, list) and rule.op == "add":
        if _same_item(existing, value):
            return []
    elif jsonpath.exists(pointer, document) and jsonpath.resolve(pointer, document) == value:
        return []
    parents = [] if existing is not None or rule.missing != "create" else _missing_parents(pointer, document)
    return [*parents, {"op": rule.op, "path": f"{parent}/{last}", "value": copy.deepcopy(value)}]


def _operations(rule: Rule, document: JsonObject, values: JsonObject) -> list[JsonObject]:
    """What one rule means on one manifest."""
    found = _pointers(rule, document, values)
    if rule.op == "remove":
        # From the end: removing an item moves those behind it.
        return [{"op": "remove", "path": pointer} for pointer in reversed(found)]
    suffix = "" if rule.key is None else "/" + fill(rule.key, values)
    value = fill(rule.value, values)
    return [operation for pointer in found for operation in _write(rule, pointer + suffix, value, document)]


def _applies(rule: Rule, values: JsonObject) -> bool:
    if rule.when is None:
        return True
    wanted = not rule.when.startswith("not ")
    return bool(values[rule.when.removeprefix("not ")]) is wanted


def apply_rule(rule: Rule, document: JsonObject, values: JsonObject) -> tuple[JsonObject, list[Change]]:
    """The manifest after one rule, and the rule's changes. The given manifest is not touched."""
    if not _applies(rule, values):
        return document, []
    operations = _operations(rule, document, values)
    try:
        after = jsonpatch.JsonPatch(operations).apply(document)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise RescueError(
            f"rule {rule.id} ({rule.where}) cannot be applied: {error}",
            f"correct the rule, or leave it out with --skip-rule {rule.id}",
            ExitCode.REFUSED,
        ) from error
    return after, [Change(rule.id, rule.why, rule.where, operation) for operation in operations]


def _refuse_leftovers(rules: Iterable[Rule], clone: JsonObject, values: JsonObject) -> None:
    """What one rule removed no later rule may bring back: checked here, as RFC 6902 ``test`` cannot say it."""
    for rule in rules:
        if rule.op == "remove" and _applies(rule, values) and _pointers(rule, clone, values):
            raise RescueError(
                f"the clone would still have {fill(rule.path, values)}, which rule {rule.id} forbids: {rule.why}",
                f"take it out of your patch, or allow it with --skip-rule {rule.id}",
                ExitCode.REFUSED,
            )


def compile_plan(
    pod: JsonObject,
    target: Target,
    rules: Sequence[Rule],
    choices: Choices,
    override: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Plan:
    """Compile the rules on one pod.

    Raises RescueError (refused) when the command is unknown, a rule does not fit, or the finished manifest still
    has something that a rule forbids.
    """
    command = original_command(find_container(pod, target.container), override)
    values = placeholder_values(pod, target, command, choices)
    clone, changes = pod, []
    for rule in rules:
        clone, made = apply_rule(rule, clone, values)
        changes.extend(made)
    _refuse_leftovers(rules, clone, values)
    return Plan(pod, clone, tuple(changes), command, tuple(warnings))
