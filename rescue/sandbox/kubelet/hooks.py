"""postStart and preStop hooks: one action, cut short when it has become pointless."""

import asyncio
from collections.abc import Awaitable

from rescue.sandbox.kubelet.calls import Outcome, Target, attempt
from rescue.sandbox.store import Object

# A postStart hook has no time limit of its own in Kubernetes; this one keeps a hung one from living for ever.
POST_START_SECONDS = 3600.0


async def run_hook(hook: Object, where: Target, seconds: float, *cut: asyncio.Event) -> Outcome | None:
    """What came of the hook within ``seconds``; None when one of the events ``cut`` it short."""
    task = asyncio.ensure_future(attempt(hook, where, seconds))
    await first_of(seconds, task, *(event.wait() for event in cut))
    if task.done():
        return task.result()
    task.cancel()
    return None if any(event.is_set() for event in cut) else Outcome(False, f"timed out after {seconds:g}s")


async def first_of(seconds: float, *things: Awaitable[object]) -> None:
    """Return when one of them is done, or after ``seconds``; awaitables that are not tasks are cancelled."""
    tasks = [asyncio.ensure_future(thing) for thing in things]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, thing in zip(tasks, things, strict=True):
            if task is not thing:
                task.cancel()


def hook_message(hook: Object, container: str, pod: str, outcome: Outcome) -> str:
    """The message of PostStartHookError; pure."""
    where = f'for Container "{container}" in Pod "{pod}" failed - error:'
    if "exec" not in hook:
        return f"Http lifecycle hook ({hook.get('httpGet', {}).get('path', '')}) {where} {outcome.output}"
    line = " ".join(hook["exec"]["command"])
    quoted = outcome.output.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return (
        f"Exec lifecycle hook ([{line}]) {where} "
        f"command '{line}' exited with {outcome.code}: {outcome.output}, message: \"{quoted}\""
    )
