"""Which containers of a pod have their turn, and which of them want to be started; pure."""

from collections.abc import Iterator

from rescue.sandbox.kubelet.observed import Container, Kind, PodView


def due(view: PodView) -> Iterator[Container]:
    """The containers to look at now, in order.

    Init containers come one after the other; a sidecar lets the next one go when it has started
    (KEP-753).  The others follow when all of these are done.
    """
    running = any(container.run for container in view.of(Kind.APP))
    for container in view.of(Kind.INIT, Kind.SIDECAR):
        if container.kind is Kind.SIDECAR:
            yield container
            if not container.started and not running:
                return
        elif not container.ready and not running:
            yield container
            if not container.ready:
                return
    yield from view.of(Kind.APP, Kind.EPHEMERAL)


def wants_start(container: Container, policy: str) -> bool:
    """Whether a container that does not run should be started, by its kind and the restartPolicy."""
    if container.running:
        return False
    end = container.run.exit if container.run else None
    if end is None or container.kind is Kind.SIDECAR:
        return True
    if container.kind is Kind.EPHEMERAL or policy == "Never":
        return False
    if container.kind is Kind.INIT or policy == "OnFailure":
        return end.code != 0
    return True
