"""What a clone can still do to others, in words: it runs the original program as the original user.  Pure."""

from collections.abc import Iterator

from rescue.model import JsonObject


def concerns(clone: JsonObject) -> list[str]:
    """A warning for everything of the original's reach that no rule takes away."""
    return [*_privileged(clone), *_claims(clone), *_network(clone), *_sockets(clone)]


def _privileged(clone: JsonObject) -> Iterator[str]:
    for group in ("initContainers", "containers"):
        for container in clone["spec"].get(group) or ():
            name, context = container["name"], container.get("securityContext") or {}
            if context.get("privileged"):
                yield f"container {name} is privileged, as the original's: what it does to its node is real"


def _claims(clone: JsonObject) -> Iterator[str]:
    for volume in clone["spec"].get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim and not claim.get("readOnly"):
            yield f"the clone writes to claim {claim['claimName']}, the original's own data"


def _network(clone: JsonObject) -> Iterator[str]:
    if clone["spec"].get("hostNetwork"):
        yield "the clone uses the network of its node, as the original: a port that it opens is the node's"


def _sockets(clone: JsonObject) -> Iterator[str]:
    for volume in clone["spec"].get("volumes") or ():
        path = (volume.get("hostPath") or {}).get("path", "")
        if path.endswith(".sock") or path.startswith(("/run", "/var/run")):
            yield f"the clone can talk to its node through {path}: a socket works where its folder is read-only, too"
