"""The claims behind a pod's volumes (k8s.io/component-helpers/storage/ephemeral)."""

from rescue.sandbox.objects import Object


def claim_name(pod: Object, volume: Object) -> str:
    """The PersistentVolumeClaim that a volume of the pod uses; "" for a volume of another sort."""
    if "ephemeral" in volume:
        return f"{pod['metadata']['name']}-{volume['name']}"
    return str(volume.get("persistentVolumeClaim", {}).get("claimName", ""))


def is_for_pod(pod: Object, claim: Object) -> bool:
    """Whether the claim was made for the pod's ephemeral volume: the pod is its controller."""
    owners = claim["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner["uid"] == pod["metadata"]["uid"] for owner in owners)


def stranger(pod: Object, claim: Object) -> str:
    """What is said of a claim with the right name that is not the pod's own."""
    mine, its = pod["metadata"], claim["metadata"]
    return (
        f"PVC {its['namespace']}/{its['name']} was not created for pod {mine['namespace']}/{mine['name']}"
        " (pod is not owner)"
    )
