"""rescue ls and rescue clean: what rescues left in the cluster."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from rescue import clones
from rescue.account import current_user
from rescue.cli.options import place_options
from rescue.clone import STAYS
from rescue.console import Console
from rescue.errors import ExitCode, RescueError
from rescue.interrupt import as_keyboard_interrupt
from rescue.kube.client import Cluster, connect
from rescue.marks import Mark
from rescue.model import SCHEMA_VERSION, JsonObject

_ALL = click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Look in every namespace.")
_OUTPUT = click.option("-o", "--output", type=click.Choice(["json", "text"]), default="text", show_default=True)
_HEAD = ("NAMESPACE", "NAME", "PHASE", "SOURCE", "USER", "AGE", "EXPIRES")


def _find(namespace: str | None, context: str | None, everywhere: bool) -> tuple[Cluster, tuple[Mark, ...]]:
    """The cluster and our pods in it; a pod that only looks like ours is said."""
    if namespace and everywhere:
        raise click.UsageError("-n and -A exclude each other")
    cluster = connect(context, namespace)
    found = clones.find(cluster, everywhere)
    for stranger in found.strangers:
        Console().warn(stranger)
    return cluster, found.ours


@click.command()
@place_options
@_ALL
@_OUTPUT
def ls(namespace: str | None, context: str | None, everywhere: bool, output: str) -> None:
    """List clones and scouts that are still in the cluster: running, kept with --keep, or left behind.

    \b
    Examples:
      rescue ls -n prod
      rescue ls -A -o json | jq '.clones[] | select(.expired)'
    """
    cluster, marks = _find(namespace, context, everywhere)
    now = datetime.now(UTC)
    if output == "json":
        _print_json(clones=[_document(mark, now) for mark in marks])
    elif marks:
        click.echo(_table([_HEAD, *(_row(mark, now) for mark in marks)]), nl=False)
    else:
        where = "any namespace" if everywhere else f"namespace {cluster.namespace}"
        click.echo(f"no clones in {where}", err=True)


def _print_json(**values: Any) -> None:
    click.echo(json.dumps({"schemaVersion": SCHEMA_VERSION, **values}, indent=2, ensure_ascii=False))


def _document(mark: Mark, now: datetime) -> JsonObject:
    """One clone for programs; ``expired`` and ``mine`` are what `rescue clean` goes by."""
    return {
        "namespace": mark.namespace,
        "name": mark.name,
        "phase": mark.phase,
        "sourcePod": mark.source_pod,
        "sourceContainer": mark.source_container,
        "user": mark.user,
        "created": mark.created.isoformat(),
        "expires": mark.expires.isoformat(),
        "expired": mark.expires < now,
        "mine": mark.user == current_user(),
    }


def _row(mark: Mark, now: datetime) -> tuple[str, ...]:
    left = (mark.expires - now).total_seconds()
    expires = f"in {_duration(left)}" if left > 0 else "expired"
    age = _duration((now - mark.created).total_seconds())
    source = f"{mark.source_pod}/{mark.source_container}"
    return (mark.namespace, mark.name, mark.phase, source, mark.user, age, expires)


def _duration(seconds: float) -> str:
    """Whole units, two at least of all but seconds: ``90s``, ``75m``, ``30h``, ``3d``; a fast clock gives ``0s``."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = (("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in cells)


@click.command()
@click.option("--mine", is_flag=True, help="Those of this user on this machine; the default.")
@click.option("--expired", is_flag=True, help="Those past their --ttl, whoever made them.")
@click.option("--all", "all_", is_flag=True, help="All, also those of colleagues' running rescues.")
@place_options
@_ALL
@click.option("--dry-run", is_flag=True, help="Say what would be deleted; delete nothing.")
@_OUTPUT
def clean(
    mine: bool,
    expired: bool,
    all_: bool,
    namespace: str | None,
    context: str | None,
    everywhere: bool,
    dry_run: bool,
    output: str,
) -> None:
    """Delete clones and scouts that were left behind, and see them gone.

    A pod is only touched when its label, its annotations and its name all say that rescue made it. A rescue that
    still runs in another terminal loses its clone too, and says so: see the ages first with `rescue ls`.

    \b
    Examples:
      rescue clean -n prod
      rescue clean --expired -A --dry-run
    """
    if mine + expired + all_ > 1:
        raise click.UsageError("--mine, --expired and --all exclude each other")
    with as_keyboard_interrupt():
        cluster, marks = _find(namespace, context, everywhere)
        chosen = marks if all_ else _expired(marks) if expired else _mine(marks)
        kept = [None] * len(chosen) if dry_run else clones.delete(cluster, chosen)
    failed = [(mark, error) for mark, error in zip(chosen, kept, strict=True) if error]
    gone = [mark for mark, error in zip(chosen, kept, strict=True) if not error]
    _report(gone, failed, dry_run, output)
    if failed:
        raise _still_there(failed)


def _mine(marks: Sequence[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.user == current_user()]


def _expired(marks: Sequence[Mark]) -> list[Mark]:
    now = datetime.now(UTC)
    return [mark for mark in marks if mark.expires < now]


def _report(gone: Sequence[Mark], failed: Sequence[tuple[Mark, RescueError]], dry_run: bool, output: str) -> None:
    if output == "json":
        deleted = [{"namespace": mark.namespace, "name": mark.name} for mark in gone]
        left = [{"namespace": m.namespace, "name": m.name, "problem": error.message} for m, error in failed]
        _print_json(dryRun=dry_run, deleted=deleted, left=left)
        return
    for mark in gone:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {mark.name} in namespace {mark.namespace}")
    if not gone and not failed:
        click.echo("nothing to clean")


def _still_there(failed: Sequence[tuple[Mark, RescueError]]) -> RescueError:
    names: dict[str, list[str]] = defaultdict(list)
    for mark, _ in failed:
        names[mark.namespace].append(mark.name)
    commands = " && ".join(f"kubectl delete pod {' '.join(pods)} -n {place}" for place, pods in names.items())
    problems = "; ".join(dict.fromkeys(error.message for _, error in failed))
    return RescueError(problems, f"{commands}   ({STAYS})", ExitCode.CLUSTER)
