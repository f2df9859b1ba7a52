"""The API's errors: Status objects with the codes, reasons and messages of a real API server."""

import json
from dataclasses import dataclass
from typing import Any

from rescue.sandbox.objects import Object


class ApiError(Exception):
    """An answer other than success; ``body()`` is its v1 Status."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def body(self) -> Object:
        """The Status object; ``reason`` and ``details`` only where the real server has them."""
        status: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        status["message"] = self.message
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


@dataclass(frozen=True)
class FieldError:
    """One cause of an Invalid answer; ``kind`` is FieldValueInvalid and so on, ``text`` is for people."""

    kind: str
    field: str
    text: str


def quoted(value: Any) -> str:
    """A value as the server's messages show it: strings in quotes, the rest as JSON."""
    return json.dumps(value, ensure_ascii=False)


def required(field: str, detail: str = "") -> FieldError:
    """The field must be there."""
    return FieldError("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))


def invalid_value(field: str, value: Any, detail: str) -> FieldError:
    """The field has a value that is not allowed."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {quoted(value)}: {detail}")


def duplicate(field: str, value: Any) -> FieldError:
    """The value is there twice."""
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {quoted(value)}")


def forbidden_field(field: str, detail: str) -> FieldError:
    """The field must not be there, or not change."""
    return FieldError("FieldValueForbidden", field, f"Forbidden: {detail}")


def field_not_found(field: str, value: Any) -> FieldError:
    """The value names something that is not there."""
    return FieldError("FieldValueNotFound", field, f"Not found: {quoted(value)}")


def unsupported_value(field: str, value: Any, supported: tuple[str, ...]) -> FieldError:
    """The value is not one of a closed list."""
    known = ", ".join(quoted(item) for item in supported)
    text = f"Unsupported value: {quoted(value)}: supported values: {known}"
    return FieldError("FieldValueNotSupported", field, text)


def invalid(kind: str, name: str, errors: list[FieldError], group: str = "") -> ApiError:
    """422 with every cause."""
    texts = [f"{error.field}: {error.text}" for error in errors]
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [{"reason": e.kind, "message": e.text, "field": e.field} for e in errors]
    details = _details(name, kind, group) | {"causes": causes}
    return ApiError(422, "Invalid", f'{_qualified(kind, group)} "{name}" is invalid: {joined}', details)


def not_found(plural: str, name: str, group: str = "") -> ApiError:
    """404 for one object."""
    message = f'{_qualified(plural, group)} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(name, plural, group))


def already_exists(plural: str, name: str, group: str = "") -> ApiError:
    """409 on create."""
    message = f'{_qualified(plural, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(name, plural, group))


def forbidden(plural: str, name: str, why: str, group: str = "") -> ApiError:
    """403 by an admission plug-in."""
    message = f'{_qualified(plural, group)} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, _details(name, plural, group))


def modified(plural: str, name: str, group: str = "") -> ApiError:
    """409 by the optimistic lock."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {_qualified(plural, group)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(name, plural, group))


def precondition_failed(kind: str, name: str, what: str, given: str, found: str) -> ApiError:
    """409 by DeleteOptions.preconditions; ``what`` is UID or ResourceVersion."""
    why = (
        f"the {what} in the precondition ({given}) does not match the {what} in record ({found})."
        " The object might have been deleted and then recreated"
    )
    message = f'Operation cannot be fulfilled on {kind} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(name, kind, ""))


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def internal_error(message: str) -> ApiError:
    """500, as the kubelet's failures arrive at the client."""
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def expired(message: str) -> ApiError:
    """410: the version is no longer in the history."""
    return ApiError(410, "Expired", message)


def no_such_resource() -> ApiError:
    """404 for a resource that a built-in group does not have."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


class NoSuchPath(Exception):
    """404 for a path or a group that is not served; its answer is no Status."""


def not_allowed() -> ApiError:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def unauthorized() -> ApiError:
    """401: no token, or another one."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def rejected_patch() -> ApiError:
    """422 for a JSON patch that cannot be applied; the real server says no more than this."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def unsupported_media_type() -> ApiError:
    """415 for a patch of an unknown type."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def unsupported_content_type(given: str) -> ApiError:
    """415 for a body that cannot be read; the real server also takes YAML, CBOR and all of protobuf."""
    known = "accepted media types include: application/json"
    message = f"the body of the request was in an unknown format - {known} (given: {given})"
    return ApiError(415, "UnsupportedMediaType", message)


def success(details: Object) -> Object:
    """The Status that answers a delete whose object is gone at once."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _qualified(name: str, group: str) -> str:
    return f"{name}.{group}" if group else name


def _details(name: str, kind: str, group: str) -> Object:
    return {"name": name} | ({"group": group} if group else {}) | {"kind": kind}
