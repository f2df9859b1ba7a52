"""What becomes of the original's PersistentVolumeClaims in the clone.  Pure."""

from collections.abc import Mapping, Sequence

from rescue.errors import ExitCode, RescueError
from rescue.model import JsonObject
from rescue.options import Wishes

EMPTY, READ_ONLY, KEEP, CLONE = MODES = ("empty", "read-only", "keep", "clone")
EVERY = "*"  # stands for each claim that is not named


def claim_name(volume: JsonObject, pod: JsonObject) -> str | None:
    """The claim behind a volume; None when there is none. A generic ephemeral volume's is ``<pod>-<volume>``."""
    if "persistentVolumeClaim" in volume:
        return str(volume["persistentVolumeClaim"]["claimName"])
    return f"{pod['metadata']['name']}-{volume['name']}" if "ephemeral" in volume else None


def names(pod: JsonObject) -> dict[str, str]:
    """Volume and claim of every volume that has one."""
    volumes = pod["spec"].get("volumes") or ()
    return {volume["name"]: name for volume in volumes if (name := claim_name(volume, pod))}


def modes(pod: JsonObject, wishes: Wishes) -> dict[str, str]:
    """Volume and mode of every volume with a claim; raises RescueError (usage) for a wish that fits none."""
    known, wanted = names(pod), dict(wishes.claims)
    strangers = set(wanted) - {EVERY, *known, *known.values()}
    if strangers:
        has = ", ".join(f"{claim} (volume {volume})" for volume, claim in known.items()) or "none"
        raise RescueError(f"the pod has no claim {min(strangers)!r}", f"its claims: {has}", ExitCode.USAGE)
    default = wanted.get(EVERY, EMPTY)
    return {volume: wanted.get(volume, wanted.get(claim, default)) for volume, claim in known.items()}


def _object(name: str, found: Mapping[str, JsonObject]) -> JsonObject:
    if name not in found:
        raise RescueError(
            f"claim {name} cannot be read, so its size and access modes are not known",
            f"is it there, and may you read it? kubectl get pvc {name}; or leave it empty: --pvc {name}=empty",
            ExitCode.REFUSED,
        )
    return found[name]


def cloned_template(name: str, found: Mapping[str, JsonObject]) -> JsonObject:
    """The ``volumeClaimTemplate`` of a generic ephemeral volume that starts with a copy of a claim's data.

    The cluster makes that claim, and deletes it with the clone (Kubernetes: Ephemeral Volumes, CSI Volume Cloning).
    Raises RescueError (refused) when the claim is not in ``found``.
    """
    claim = _object(name, found)
    spec, capacity = claim["spec"], claim.get("status", {}).get("capacity") or {}
    size = capacity.get("storage") or spec["resources"]["requests"]["storage"]
    kept = {key: spec[key] for key in ("storageClassName", "volumeMode") if key in spec}
    return {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            "dataSource": {"kind": "PersistentVolumeClaim", "name": name},
            **kept,
        }
    }


def shared_source(volume: JsonObject, pod: JsonObject, mode: str) -> JsonObject:
    """The ``persistentVolumeClaim`` of a volume that uses the original's own claim."""
    read_only = mode == READ_ONLY or bool((volume.get("persistentVolumeClaim") or {}).get("readOnly"))
    return {"claimName": claim_name(volume, pod), **({"readOnly": True} if read_only else {})}


def need_the_node(pod: JsonObject, chosen: Mapping[str, str], found: Mapping[str, JsonObject]) -> list[str]:
    """The claims that the clone shares and that only one node can mount.

    Raises RescueError (refused) for a claim that only one pod can mount: the clone would wait for ever.
    """
    known, bound = names(pod), []
    for volume, mode in chosen.items():
        if mode not in (KEEP, READ_ONLY):
            continue
        access = _object(known[volume], found)["spec"].get("accessModes") or []
        if "ReadWriteOncePod" in access:
            raise RescueError(
                f"claim {known[volume]} is ReadWriteOncePod: no second pod can mount it",
                f"copy it, or leave it empty: --pvc {known[volume]}=clone, --pvc {known[volume]}=empty",
                ExitCode.REFUSED,
            )
        if not {"ReadWriteMany", "ReadOnlyMany"} & set(access):
            bound.append(known[volume])
    return bound


def node(pod: JsonObject, wishes: Wishes, bound: Sequence[str]) -> str | None:
    """The node that the clone must run on; raises RescueError (refused) when a claim needs what the user forbids."""
    spec = pod["spec"]
    node = spec.get("nodeName")
    if wishes.same_node is False and node and bound:
        raise RescueError(
            f"claim {bound[0]} can be mounted on one node only, and {node} has it: elsewhere the clone would hang",
            f"leave out --any-node, or copy the claim: --pvc {bound[0]}=clone",
            ExitCode.REFUSED,
        )
    if wishes.same_node and not node:
        raise RescueError("the pod has no node yet", "leave out --same-node", ExitCode.USAGE)
    node_data = any("hostPath" in volume for volume in spec.get("volumes") or ())
    needed = bool(bound) or spec.get("hostNetwork") or node_data
    return node if (wishes.same_node or (wishes.same_node is None and needed)) else None


def altered(pod: JsonObject, clone: JsonObject, container: str) -> dict[str, str]:
    """Volumes of a container that are not what they were: now ``empty``, or now ``read-only``."""
    before, after = ({v["name"]: v for v in item["spec"].get("volumes") or ()} for item in (pod, clone))
    changed = {name: EMPTY for name in names(pod) if "emptyDir" in after.get(name, {})}
    made = _read_only(clone, container) - _read_only(pod, container)
    return changed | {name: READ_ONLY for name in sorted(made) if name in before}


def _read_only(pod: JsonObject, container: str) -> set[str]:
    """Volumes that a container cannot write to, by their mounts or their source."""
    spec = pod["spec"]
    everyone = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    mounts = [m for c in everyone if c["name"] == container for m in c.get("volumeMounts") or ()]
    sources = {
        v["name"] for v in spec.get("volumes") or () for s in v.values() if isinstance(s, dict) and s.get("readOnly")
    }
    return {m["name"] for m in mounts if m.get("readOnly")} | sources
