"""What the server's refusals mean for the one who asked."""

from collections.abc import Mapping

import msgspec

from fleet.kube import wire
from fleet.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    ExpiredError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    NotPermittedError,
    NotServedError,
    RejectedError,
    StorageFullError,
    TransientError,
)

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
JSON = "application/json"
AGAIN = frozenset({408, 429})
UNFOUND = 404
INVALID = 422
SERVER_FAILED = 500
UNPERMITTED = ('" cannot ', "attempting to grant RBAC permissions not currently held")
"""What the authorizer says of a verb or of a grant; admission refuses in other words."""
GOING = "while custom resource definition is terminating"
MISSHAPEN = ("failed to create typed ", "failed to convert ")
UNDECLARED = "field not declared in schema"
"""What the server says, with a 500, to an apply whose fields are not those of its kind."""
FULL = "database space exceeded"
"""What etcd says when its quota is used up."""
PLAIN: Mapping[int, type[KubeError]] = {
    UNFOUND: NotFoundError,
    409: ConflictError,
    410: ExpiredError,
}


def read_status(code: int, body: bytes) -> wire.Status:
    """Read the body of a refusal; what is no Status (a proxy's page) is its message."""
    try:
        status = wire.status(body)
    except msgspec.DecodeError:
        return wire.Status(message=body[:200].decode("utf-8", "replace").strip(), code=code)
    status.code = status.code or code
    return status


def refusal(status: wire.Status, *, content_type: str = "", retry_after: float = 0.0) -> KubeError:
    """Name a refusal for what to do next."""
    message, code = status.message or status.reason or f"HTTP {status.code}", status.code
    if code in (401, 403):
        return _forbidden(status, message)
    if code == INVALID:
        return _invalid(status, message, content_type)
    if code in AGAIN or code >= SERVER_FAILED:
        return _transient(status, message, retry_after)
    return _plain(status)(message)


def _plain(status: wire.Status) -> type[KubeError]:
    """Only of what it serves does the server say a reason why it was not found."""
    if status.code == UNFOUND and not status.reason:
        return NotServedError
    if status.reason == "AlreadyExists":
        return AlreadyExistsError
    return PLAIN.get(status.code, RejectedError)


def _forbidden(status: wire.Status, message: str) -> KubeError:
    """A namespace or a kind on its way out refuses what is new: its end is to be awaited."""
    if any(cause.reason == "NamespaceTerminating" for cause in _causes(status)):
        return ConflictError(message)
    if GOING in message:
        return NotServedError(message)
    unpermitted = any(words in message for words in UNPERMITTED)
    return NotPermittedError(message) if unpermitted else ForbiddenError(message)


def _invalid(status: wire.Status, message: str, content_type: str) -> KubeError:
    """Tell a wrong object from one that is not as it was observed.

    A JSON patch whose `test` fails has no causes; an apply with the uid of an object that has
    given way to a namesake has `metadata.uid` as its cause.
    """
    causes = _causes(status)
    moved = content_type == JSON_PATCH and not causes
    if moved or any(cause.field == "metadata.uid" for cause in causes):
        return ConflictError(message)
    return RejectedError(message)


def _transient(status: wire.Status, message: str, retry_after: float) -> KubeError:
    misshapen = message.startswith(MISSHAPEN) or UNDECLARED in message
    if status.code == SERVER_FAILED and misshapen:
        return RejectedError(message)
    if "Too large resource version" in message:
        return ExpiredError(message)
    if FULL in message:
        return StorageFullError(message)
    said = status.details.retry_after_seconds if status.details else 0.0
    return TransientError(message, retry_after=max(retry_after, said))


def _causes(status: wire.Status) -> list[wire.Cause]:
    return status.details.causes if status.details else []
