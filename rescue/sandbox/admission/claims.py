"""The StorageObjectInUseProtection plug-in: a claim in use outlives its deletion."""

from rescue.sandbox.objects import Object
from rescue.sandbox.store import Store

PROTECTION = "kubernetes.io/pvc-protection"


def protect(_: Store, claim: Object) -> None:
    """Add the finalizer that the protection controller takes away."""
    finalizers = claim["metadata"].setdefault("finalizers", [])
    if PROTECTION not in finalizers:
        finalizers.append(PROTECTION)
