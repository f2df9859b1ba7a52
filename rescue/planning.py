"""Plans made with what only the outside knows: rule files, selectors of the cluster, the time, chance."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rescue import claims, entrypoint, gather, scout
from rescue.account import current_user
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
from rescue.scout import Say
from rescue.source import Source, find
from rescue.triage import choose_target, offline_target


def _suffix() -> str:
    """A letter first: with a number at its end a name could be that of a StatefulSet's member."""
    firsts = [letter for letter in LETTERS if letter.isalpha()]
    return secrets.choice(firsts) + "".join(secrets.choice(LETTERS) for _ in range(SUFFIX_LENGTH - 1))


def _choices(options: Options, known: Quarantine, found: dict[str, JsonObject]) -> Choices:
    expires = datetime.now(UTC) + timedelta(seconds=options.ttl)
    return Choices(
        suffix=_suffix(),
        expires=expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
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


def plan_on(cluster: Cluster, pod: JsonObject, target: Target, options: Options, say: Say | None = None) -> Plan:
    """The plan for one container of a pod of the cluster, with what its namespace makes us warn of.

    With ``say`` a scout may be created, to see a command that nothing else tells, and its steps are said.
    """
    rules = load_rules(options.patches, options.skip_rules)
    known = quarantine(cluster, pod)
    choices = _choices(options, known, _claims(cluster, pod, options))

    def watch() -> Command:
        manifest = scout.scout_manifest(pod, target, rules, replace(choices, suffix=_suffix()))
        return scout.observe(cluster, manifest, target, options.wait, say or (lambda _text: None))

    command = _command(cluster, pod, target, options, watch if say and options.scout else None)
    plan = compile_plan(pod, target, rules, choices, command, known.warnings)
    labels = plan.clone["metadata"].get("labels") or {}
    return replace(plan, warnings=(*plan.warnings, *onlookers(cluster, target.namespace, labels)))


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
