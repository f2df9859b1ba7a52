"""The controllers: what turns the wanted state into pods, endpoints and events.

Each reconciler looks at the whole store and writes what is missing; it writes nothing when all is well.
They run again after every change, and once a second for what only time changes (a Job's back-off).
"""

import asyncio
import logging
from collections.abc import Callable

from rescue.sandbox.controllers import (
    claims,
    customs,
    daemonsets,
    deployments,
    disruption,
    endpoints,
    ephemeral,
    garbage,
    jobs,
    namespaces,
    protection,
    replicasets,
    scheduler,
    statefulsets,
)
from rescue.sandbox.store import Store

_log = logging.getLogger(__name__)

RECONCILERS: tuple[Callable[[Store], None], ...] = (
    namespaces.reconcile,
    deployments.reconcile,
    replicasets.reconcile,
    daemonsets.reconcile,
    statefulsets.reconcile,
    jobs.reconcile,
    # The scheduler sees a pod before its claims are made and bound, as on a real cluster.
    scheduler.reconcile,
    ephemeral.reconcile,
    claims.reconcile,
    protection.reconcile,
    endpoints.reconcile,
    customs.reconcile,
    disruption.reconcile,
    garbage.reconcile,
)
_PERIOD_SECONDS = 1.0
# Changes come in bursts; one look a little later is enough for all of them.
_SETTLE_SECONDS = 0.02
_MAX_ROUNDS = 50


def settle(store: Store) -> None:
    """Run every reconciler until nothing changes any more."""
    for _ in range(_MAX_ROUNDS):
        before = store.version
        for reconcile in RECONCILERS:
            reconcile(store)
        if store.version == before:
            return
    raise RuntimeError("the controllers do not come to rest")


async def run(store: Store) -> None:
    """Reconcile for ever; a failure is logged and tried again."""
    changed = asyncio.Event()
    watcher = asyncio.create_task(_notice(store, changed))
    try:
        while True:
            changed.clear()
            _reconcile_all(store)
            try:
                await asyncio.wait_for(changed.wait(), _PERIOD_SECONDS)
            except TimeoutError:
                continue
            await asyncio.sleep(_SETTLE_SECONDS)
    finally:
        watcher.cancel()


async def _notice(store: Store, changed: asyncio.Event) -> None:
    watch = store.watch(None)
    try:
        async for _ in watch:
            changed.set()
    finally:
        watch.close()


def _reconcile_all(store: Store) -> None:
    for reconcile in RECONCILERS:
        try:
            reconcile(store)
        except Exception:
            _log.exception("%s", reconcile.__module__)
