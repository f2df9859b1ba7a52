"""Plans made with what only the outside knows: rule files, selectors of the cluster, the time, chance."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from rescue import claims, entrypoint, gather, scout
from rescue.account import current_user
from rescue.console import Console
from rescue.kube import rights
from rescue.kube.client import Cluster, connect
from rescue.kube.errors import ClusterError
from rescue.kube.room import shortage
from rescue.marks import LETTERS
from rescue.model import Command, JsonObject, Plan, Target
from rescue.onlookers import Quarantine, onlookers, quarantine
from rescue.options import Options
from rescue.placeholders import SUFFIX_LENGTH, Choices, find_container, target_image
from rescue.plan import compile_plan
from rescue.refusal import refuse_unstarted
from rescue.rulebook import load_rules
from rescue.source import Source, find
from rescue.triage import choose_target, offline_target

_NOT_YET_KNOWN = Command(("not-yet-known",), "scout")


def _suffix() -> str:
    """A letter first: with a number at its end a name could be that of a StatefulSet's member."""
    firsts = [letter for letter in LETTERS if letter.isalpha()]
    return secrets.choice(firsts) + "".join(secrets.choice(LETTERS) for _ in range(SUFFIX_LENGTH - 1))


def _expires(seconds: int) -> str:
    """The moment after which anybody may delete a pod that is made now, to live so long."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _choices(options: Options, known: Quarantine, found: dict[str, JsonObject]) -> Choices:
    return Choices(
        suffix=_suffix(),
        expires=_expires(options.ttl),
        user=current_user(),
        toolkit_image=options.toolkit_image,
        ttl_seconds=options.ttl,
        quarantine=known.keys,
        selectors=known.selectors,
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


def plan_offline(pod: JsonObject, options: Options) -> Plan:
    """The plan for a manifest without a cluster: no selector is known, so every label goes."""
    target = offline_target(pod, options.container)
    rules = load_rules(options.patches, options.skip_rules)
    known = Quarantine(None, {}, ["without a cluster the selectors are not known: all labels are dropped"])
    command = _command(None, pod, target, options, None)
    return compile_plan(pod, target, rules, _choices(options, known, {}), command, known.warnings)


def plan_on(
    cluster: Cluster, pod: JsonObject, target: Target, options: Options, console: Console | None = None
) -> Plan:
    """The plan for one container of a pod of the cluster, with what its namespace makes us warn of.

    With ``console`` scouts may be created, to see a command that nothing else tells, and their steps are said;
    what does not fit is refused before.
    """
    rules = load_rules(options.patches, options.skip_rules)
    known = quarantine(cluster, pod)
    choices = _choices(options, known, _claims(cluster, pod, options))
    compile_plan(pod, target, rules, choices, _NOT_YET_KNOWN)

    def manifest() -> JsonObject:
        fresh = replace(choices, suffix=_suffix(), expires=_expires(scout.TTL_SECONDS))
        return scout.scout_manifest(pod, target, rules, fresh)

    watch = partial(_watch, cluster, manifest, target, options, console) if console and options.scout else None
    command = _command(cluster, pod, target, options, watch)
    # Scouts may have taken minutes: the clone's time begins now.
    fresh = replace(choices, expires=_expires(options.ttl))
    plan = compile_plan(pod, target, rules, fresh, command, known.warnings)
    labels = plan.clone["metadata"].get("labels") or {}
    return replace(plan, warnings=(*plan.warnings, *onlookers(cluster, target.namespace, labels)))


def _watch(
    cluster: Cluster, manifest: Callable[[], JsonObject], target: Target, options: Options, console: Console
) -> Command:
    """The command as scouts see it; raises RescueError as ``scout.observe``, and for rights that only scouts need."""
    rights.check(cluster, target.namespace, rights.OF_A_SCOUT)
    return scout.observe(cluster, manifest, target, options.wait, console)


def _command(
    cluster: Cluster | None, pod: JsonObject, target: Target, options: Options, watch: entrypoint.Scout | None
) -> Command:
    container = find_container(pod, target.container)
    image = target_image(pod, container, options.wishes)
    return entrypoint.find(cluster, pod, container, image, options.command, watch)


def target_of(cluster: Cluster, source: Source, container: str | None) -> Target:
    """The container of a source to replay; raises RescueError as ``choose_target`` does."""
    if not source.live:
        return replace(offline_target(source.pod, container), owner=source.owner)
    owner = source.owner or gather.find_owner(cluster, source.pod)
    return choose_target(source.pod, container, owner, shortage(cluster, source.pod), datetime.now(UTC))


def plan_pod(options: Options) -> Plan:
    """The plan for a pod of the cluster; creates nothing."""
    cluster = connect(options.context, options.namespace, options.kubeconfig)
    source = find(cluster, options)
    target = target_of(cluster, source, options.container)
    refuse_unstarted(target)
    plan = plan_on(cluster, source.pod, target, options)
    return replace(plan, warnings=(*filter(None, [source.choice]), *plan.warnings))
