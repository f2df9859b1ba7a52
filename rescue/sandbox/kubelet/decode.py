"""The bytes that a ConfigMap or a Secret holds; pure."""

from base64 import b64decode

from rescue.sandbox.store import Object


def binary_data(obj: Object) -> dict[str, bytes]:
    """Key → bytes, of ``data`` and ``binaryData`` of a ConfigMap, or of a Secret's ``data``."""
    if obj["kind"] == "Secret":
        return {key: b64decode(value or "") for key, value in (obj.get("data") or {}).items()}
    text = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    return text | {key: b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}
