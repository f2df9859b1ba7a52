"""Plans made with what only the outside knows: rule files, selectors of the cluster, the time, chance."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rescue import claims, gather
from rescue.account import current_user
from rescue.errors import ExitCode, RescueError
from rescue.kube.client import Cluster, connect
from rescue.kube.errors import ClusterError
from rescue.marks import LETTERS
from rescue.model import Command, JsonObject, Plan, Target
from rescue.onlookers import onlookers, quarantine
from rescue.options import Options
from rescue.placeholders import SUFFIX_LENGTH, Choices, find_container
from rescue.plan import compile_plan
from rescue.resources import data_dir
from rescue.rules import Rule, combine, parse
from rescue.source import Source, find
from rescue.triage import choose_target, offline_target


def load_rules(patches: tuple[Path, ...], skip: tuple[str, ...]) -> list[Rule]:
    """The built-in rules with the user's; raises RescueError (usage) for a malformed file or unknown id."""
    built_in = [rule for path in sorted(data_dir("patches").glob("*.yaml")) for rule in _read_rules(path)]
    return combine(built_in, [rule for path in patches for rule in _read_rules(path)], skip)


def _read_rules(path: Path) -> list[Rule]:
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RescueError(f"{path}: {error}", "give a readable rule file", ExitCode.USAGE) from error


def _choices(options: Options, quarantine: frozenset[str] | None, found: dict[str, JsonObject]) -> Choices:
    suffix = "".join(secrets.choice(LETTERS) for _ in range(SUFFIX_LENGTH))
    expires = datetime.now(UTC) + timedelta(seconds=options.ttl)
    return Choices(
        suffix=suffix,
        expires=expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        user=current_user(),
        toolkit_image=options.toolkit_image,
        ttl_seconds=options.ttl,
        quarantine=quarantine,
        wishes=options.wishes,
        claims=found,
    )


def _claims(cluster: Cluster, pod: JsonObject, options: Options) -> dict[str, JsonObject]:
    """The claims that shall not become empty volumes; those that cannot be read are left out."""
    known, found = claims.names(pod), {}
    for volume, mode in claims.modes(pod, options.wishes).items():
        if mode != claims.EMPTY:
            try:
                name = known[volume]
                found[name] = cluster.get("persistentvolumeclaims", pod["metadata"]["namespace"], name)
            except ClusterError as error:
                if error.status not in (403, 404):
                    raise
    return found


def _command(container: JsonObject, override: tuple[str, ...]) -> Command:
    """The argv to replay; raises RescueError (refused) when only the image knows it."""
    if override:
        return Command(override, "arguments")
    if container.get("command"):
        return Command((*container["command"], *(container.get("args") or ())), "spec")
    name = container["name"]
    raise RescueError(
        f"container {name!r} sets no command: it runs the entrypoint of its image, which the API does not show",
        f"give it after --, as in: rescue pod … -c {name} -- /path/to/program ARG…",
        ExitCode.REFUSED,
    )


def plan_offline(pod: JsonObject, options: Options) -> Plan:
    """The plan for a manifest without a cluster: no selector is known, so every label goes."""
    target = offline_target(pod, options.container)
    rules = load_rules(options.patches, options.skip_rules)
    warnings = ["without a cluster the selectors are not known: all labels are dropped"]
    command = _command(find_container(pod, target.container), options.command)
    return compile_plan(pod, target, rules, _choices(options, None, {}), command, warnings)


def plan_on(cluster: Cluster, pod: JsonObject, target: Target, options: Options) -> Plan:
    """The plan for one container of a pod of the cluster, with what its namespace makes us warn of."""
    rules = load_rules(options.patches, options.skip_rules)
    keys, warnings = quarantine(cluster, pod)
    choices = _choices(options, keys, _claims(cluster, pod, options))
    command = _command(find_container(pod, target.container), options.command)
    plan = compile_plan(pod, target, rules, choices, command, warnings)
    labels = plan.clone["metadata"].get("labels") or {}
    return replace(plan, warnings=(*plan.warnings, *onlookers(cluster, target.namespace, labels)))


def target_of(cluster: Cluster, source: Source, container: str | None) -> Target:
    """The container of a source to replay; raises RescueError as ``choose_target`` does."""
    if not source.live:
        return replace(offline_target(source.pod, container), owner=source.owner)
    owner = source.owner or gather.find_owner(cluster, source.pod)
    return choose_target(source.pod, container, owner, now=datetime.now(UTC))


def plan_pod(options: Options) -> Plan:
    """The plan for a pod of the cluster; creates nothing."""
    cluster = connect(options.context, options.namespace, options.kubeconfig)
    source = find(cluster, options)
    plan = plan_on(cluster, source.pod, target_of(cluster, source, options.container), options)
    return replace(plan, warnings=(*filter(None, [source.choice]), *plan.warnings))
