"""The order of the steps: triage, plan, clone, replay, collect, diagnose, report."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rescue import __version__, claims, clone, collect, gather, replay, starting, times, toolkit, unstarted
from rescue.case import CASE, CLONE, CLONE_STATUS, PLAN, REPLAY, TARGET, Case
from rescue.console import Console
from rescue.dump import dump
from rescue.errors import ExitCode, RescueError
from rescue.interrupt import as_keyboard_interrupt
from rescue.judge import record
from rescue.kube import rights
from rescue.kube.client import Cluster, connect
from rescue.kube.errors import ClusterError
from rescue.model import SCHEMA_VERSION, Command, JsonObject, Plan, Report, Target, to_json
from rescue.options import Options
from rescue.planning import plan_on, target_of
from rescue.source import Source, find
from rescue.waiting import why_ended

RUN = "1"
POLL_SECONDS = 2.0
STATUS_SECONDS = 15.0
GRACE_SECONDS = 120.0  # beyond the replay's time limit, for a container that the kubelet must start again first


@dataclass
class _Run:
    """One rescue under way: what every step needs."""

    options: Options
    console: Console
    cluster: Cluster
    case: Case
    header: JsonObject = field(default_factory=dict)

    def note(self, **values: Any) -> None:
        """Keep values in case.json."""
        self.header.update(values)
        self.case.write_json(CASE, self.header)

    def clone_ended(self, made: clone.Clone, state: str, detail: str) -> None:
        """Keep, and say, what became of the clone."""
        clone.tell_end(self.console, "clone", made, state, detail)
        place = {"name": made.name, "namespace": made.namespace}
        self.note(clone={**place, "deleted": state == "deleted", "state": state})


def rescue_pod(options: Options, console: Console) -> Report:
    """The main job. Raises RescueError; whatever happens, the clone is deleted, unless it shall be kept."""
    times.check(options)
    with as_keyboard_interrupt():
        cluster = connect(options.context, options.namespace, options.kubeconfig)
        source = find(cluster, options)
        if source.choice:
            console.step(source.choice)
        target = target_of(cluster, source, options.container)
        console.step(f"container {target.container!r} of pod {target.pod}: {target.choice}")
        if target.state == unstarted.STATE:
            return _explain(_Run(options, console, cluster, _new_case(options, target)), source, target)
        rights.check(cluster, target.namespace)
        run = _Run(options, console, cluster, _new_case(options, target))
        plan = _plan(run, source, target)
        _open_case(run, target, plan)
        gather.gather(cluster, run.case, source.pod, target, source.live)
        _replay(run, target, plan)
        return record(run.case)


def _new_case(options: Options, target: Target) -> Case:
    """The folder that the user names, else a new one; its end keeps two of a second apart."""
    moment = datetime.now().strftime("%Y%m%d-%H%M%S")
    default = f"{target.namespace}-{target.pod}-{moment}-{secrets.token_hex(3)}"
    return Case.create(options.case or Path("rescue-cases") / default)


def _plan(run: _Run, source: Source, target: Target) -> Plan:
    """The plan, for which scouts may run; without one there is no case either."""
    try:
        plan = plan_on(run.cluster, source.pod, target, run.options, run.console)
    except BaseException:
        run.case.discard()
        raise
    if plan.command.note:
        run.console.step(f"command: {plan.command.note}")
    return plan


def _explain(run: _Run, source: Source, target: Target) -> Report:
    """Judge a container that never started by what the cluster says of it: there is no crash, so no clone."""
    run.console.step(f"it never started ({target.reason}): no clone is needed")
    _describe(run, target, Command((), ""), ())
    gather.gather(run.cluster, run.case, source.pod, target, source.live)
    return record(run.case)


def _open_case(run: _Run, target: Target, plan: Plan) -> None:
    warnings = [*plan.warnings, *times.warnings(run.options, target.lifetime)]
    _describe(run, target, plan.command, warnings)
    run.note(altered=claims.altered(plan.original, plan.clone, target.container))
    run.case.write_json(PLAN, {"changes": to_json(plan.changes), "patch": plan.patch, "warnings": plan.warnings})
    run.case.write(CLONE, dump(plan.clone))
    for warning in warnings:
        run.console.warn(warning)


def _describe(run: _Run, target: Target, command: Command, warnings: Sequence[str]) -> None:
    """Write the case's header and target."""
    run.note(
        schemaVersion=SCHEMA_VERSION,
        rescueVersion=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        context=run.cluster.context,
        namespace=target.namespace,
        pod=target.pod,
        container=target.container,
        command=list(command.argv),
        commandSource=command.source,
        commandNote=command.note,
        warnings=list(warnings),
        replayed=False,
    )
    run.case.write_json(TARGET, to_json(target))


def _replay(run: _Run, target: Target, plan: Plan) -> None:
    """Clone, replay, collect; the clone lives only here."""
    cluster, options, say = run.cluster, run.options, run.console.step
    with clone.living(cluster, target.namespace, plan.clone, options.keep, run.clone_ended) as made:
        say(f"clone {made.name} created")
        starting.wait_until_held(cluster, made, target.container, options.wait, say)
        tools = toolkit.load(replay.architecture(cluster, made))
        say(f"toolkit: {tools.describe()}")
        replay.upload(cluster, made, tools.tar)
        _collect(run, made, target, times.of_replay(options, target.lifetime))


def _collect(run: _Run, made: clone.Clone, target: Target, seconds: float) -> None:
    say = run.console.step
    say(f"replaying, for at most {seconds:.0f} s: {' '.join(run.header['command'])[:100]}")
    run.note(replayed=True)
    replay.request(run.cluster, made, RUN, {"seconds": f"{seconds:.0f}"})
    watch = _Watch(run, made, target.container, seconds)
    with _kept_in_the_case(run, made):
        collect.collect(run.cluster, made, RUN, run.case.path / REPLAY, watch.tick)
    say("replay ended, everything collected")
    watch.settle()


@contextmanager
def _kept_in_the_case(run: _Run, made: clone.Clone) -> Iterator[None]:
    """Whatever ends the block: the clone's last status is saved, and the user learns what became of the rest."""
    try:
        yield
    except KeyboardInterrupt:
        run.console.warn(f"interrupted; judge what came so far with: rescue diagnose {run.case.path}")
        if run.options.keep:
            with suppress(RescueError):  # It ends by its own time limit then.
                replay.stop(run.cluster, made, RUN)
        raise
    except RescueError as error:
        hint = f"{error.hint}; judge what came so far with: rescue diagnose {run.case.path}"
        raise RescueError(error.message, hint, error.code) from error
    finally:
        _save_status(run, made)


def _save_status(run: _Run, made: clone.Clone) -> JsonObject:
    """The clone's status into the case; an unreadable one is left as it was."""
    try:
        status: JsonObject = run.cluster.get("pods", made.namespace, made.name).get("status", {})
    except ClusterError:
        return {}
    run.case.write_json(CLONE_STATUS, status)
    return status


class _Watch:
    """Looks at the clone while its replay is collected, not more often than every POLL_SECONDS."""

    def __init__(self, run: _Run, made: clone.Clone, container: str, seconds: float) -> None:
        self._run, self._clone, self._container = run, made, container
        self._next = time.monotonic() + POLL_SECONDS
        self._end = time.monotonic() + seconds + GRACE_SECONDS

    def tick(self) -> None:
        """Raises RescueError when the clone has ended, or the replay is long overdue."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + POLL_SECONDS
        status = _save_status(self._run, self._clone)
        why = why_ended({"status": status})
        if why is not None:
            raise RescueError(f"the clone ended during the replay: {why}", "see: kubectl get events", ExitCode.CLUSTER)
        if now > self._end:
            raise RescueError("the replay did not end in its time", "look at the clone with --keep", ExitCode.CLUSTER)

    def settle(self) -> None:
        """After a run without an end of its own, wait for the kubelet to say how the container ended."""
        end = self._run.case.bytes(f"{REPLAY}/end").decode("utf-8", "replace")
        deadline = time.monotonic() + STATUS_SECONDS
        while "ended=lost" in end and time.monotonic() < deadline:
            if _was_terminated(_save_status(self._run, self._clone), self._container):
                return
            time.sleep(0.5)


def _was_terminated(status: JsonObject, container: str) -> bool:
    for entry in status.get("containerStatuses") or ():
        if entry["name"] == container:
            return bool(
                (entry.get("state") or {}).get("terminated") or (entry.get("lastState") or {}).get("terminated")
            )
    return False
