"""What a clone can still do to others, in words: it runs the original program as the original user.  Pure."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from rescue.marks import SOURCE_CONTAINER
from rescue.model import JsonObject

# Where container runtimes and other services of a node have their sockets.
_SOCKETS = tuple(map(PurePosixPath, ("/run", "/var/run")))


def concerns(pod: JsonObject, clone: JsonObject) -> list[str]:
    """A warning for everything of the original's reach that no rule takes away, and for what no rule could keep."""
    return [
        *_privileged(clone),
        *_claims(clone),
        *_network(clone),
        *_sockets(clone),
        *_again(pod, clone),
        *_lost_labels(pod, clone),
    ]


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
        yield (
            "the clone uses the network of its node, as the original: a port that it opens is the node's, "
            "which neither can open while the other has it"
        )


def _sockets(clone: JsonObject) -> Iterator[str]:
    for volume in clone["spec"].get("volumes") or ():
        text = (volume.get("hostPath") or {}).get("path", "")
        path = PurePosixPath(text)
        if path.suffix == ".sock":
            yield f"the clone can talk to its node through {text}: a socket works where it is read-only, too"
        elif any(place == path or place in path.parents or path in place.parents for place in _SOCKETS):
            yield (
                f"the clone sees {text} of its node: sockets in it work where it is read-only, too, "
                "and what is mounted below it may be written to"
            )


def _again(pod: JsonObject, clone: JsonObject) -> Iterator[str]:
    """Containers beside the target that run once in the original; in the clone everything that ends starts again."""
    if pod["spec"].get("restartPolicy", "Always") == "Always":
        return
    target = clone["metadata"]["annotations"][SOURCE_CONTAINER]
    ours = {container["name"] for container in pod["spec"]["containers"]}
    for container in clone["spec"]["containers"]:
        if container["name"] in ours - {target}:
            yield f"container {container['name']} starts again in the clone when it ends; --without leaves it out"


def _lost_labels(pod: JsonObject, clone: JsonObject) -> Iterator[str]:
    """Files of the downward API that tell labels, which are the clone's own."""
    lost = set(pod["metadata"].get("labels") or {}) - set(clone["metadata"].get("labels") or {})
    for volume in clone["spec"].get("volumes") or ():
        told = _told_labels(volume, lost)
        if told:
            yield f"volume {volume['name']} tells the clone's labels, without the original's {', '.join(told)}"


def _told_labels(volume: JsonObject, lost: set[str]) -> list[str]:
    """Those of the labels that a volume would tell."""
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    items = [item for source in sources for item in (source.get("downwardAPI") or {}).get("items") or ()]
    paths = {(item.get("fieldRef") or {}).get("fieldPath") for item in items}
    return sorted(label for label in lost if {"metadata.labels", f"metadata.labels['{label}']"} & paths)
