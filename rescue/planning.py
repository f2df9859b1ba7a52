"""Plans made with what only the outside knows: rule files, selectors of the cluster, the time, chance."""

import getpass
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rescue import gather
from rescue.errors import ExitCode, RescueError
from rescue.kube.client import Cluster, connect
from rescue.model import JsonObject, Plan, Target
from rescue.options import Options
from rescue.plan import SUFFIX_LENGTH, Choices, compile_plan
from rescue.resources import data_dir
from rescue.rules import Rule, combine, parse
from rescue.triage import choose_target, offline_target

LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # as Kubernetes' own suffixes: no vowels, so no words


def load_rules(patches: tuple[Path, ...], skip: tuple[str, ...]) -> list[Rule]:
    """The built-in rules with the user's; raises RescueError (usage) for a malformed file or unknown id."""
    built_in = [rule for path in sorted(data_dir("patches").glob("*.yaml")) for rule in _read_rules(path)]
    return combine(built_in, [rule for path in patches for rule in _read_rules(path)], skip)


def _read_rules(path: Path) -> list[Rule]:
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RescueError(f"{path}: {error}", "give a readable rule file", ExitCode.USAGE) from error


def _choices(options: Options, quarantine: frozenset[str] | None) -> Choices:
    suffix = "".join(secrets.choice(LETTERS) for _ in range(SUFFIX_LENGTH))
    expires = datetime.now(UTC) + timedelta(seconds=options.ttl)
    return Choices(
        suffix=suffix,
        expires=expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        user=_user(),
        toolkit_image=options.toolkit_image,
        ttl_seconds=options.ttl,
        quarantine=quarantine,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, as in many containers
        return "unknown"


def plan_offline(pod: JsonObject, options: Options) -> Plan:
    """The plan for a manifest without a cluster: no selector is known, so every label goes."""
    target = offline_target(pod, options.container)
    rules = load_rules(options.patches, options.skip_rules)
    warnings = ["without a cluster the selectors are not known: all labels are dropped"]
    return compile_plan(pod, target, rules, _choices(options, None), options.command, warnings)


def plan_on(cluster: Cluster, pod: JsonObject, target: Target, options: Options) -> Plan:
    """The plan for one container of a pod of the cluster, with what its namespace makes us warn of."""
    rules = load_rules(options.patches, options.skip_rules)
    keys, warnings = gather.quarantine(cluster, pod)
    plan = compile_plan(pod, target, rules, _choices(options, keys), options.command, warnings)
    labels = plan.clone["metadata"].get("labels") or {}
    published = gather.published_anyway(cluster, target.namespace, labels)
    return replace(plan, warnings=(*plan.warnings, *published))


def plan_pod(options: Options) -> Plan:
    """The plan for a pod of the cluster; creates nothing."""
    cluster = connect(options.context, options.namespace, options.kubeconfig)
    pod = cluster.get("pods", cluster.namespace, options.pod)
    return plan_on(cluster, pod, choose_target(pod, options.container, None), options)
