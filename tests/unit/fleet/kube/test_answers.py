"""What a refusal of the server means for the one who asked."""

import json
from typing import Any

import pytest

from fleet.kube.answers import APPLY_PATCH, GOING, JSON_PATCH, read_status, refusal
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

REFUSED = 'pods is forbidden: User "system:serviceaccount:a:b" cannot list resource "pods"'
GRANT = "attempting to grant RBAC permissions not currently held"


def refused(
    code: int, *, content_type: str = "", retry_after: float = 0.0, **status: Any
) -> KubeError:
    body = json.dumps({"kind": "Status", "status": "Failure", "code": code, **status}).encode()
    return refusal(read_status(code, body), content_type=content_type, retry_after=retry_after)


def caused(**cause: str) -> dict[str, Any]:
    return {"causes": [cause]}


@pytest.mark.parametrize(
    ("code", "more", "error"),
    [
        (400, {}, RejectedError),
        (401, {}, ForbiddenError),
        (403, {}, ForbiddenError),
        (403, {"message": f"{REFUSED} at the cluster scope"}, NotPermittedError),
        (403, {"message": f"roles is forbidden: user is {GRANT}: {{list}}"}, NotPermittedError),
        (403, {"message": "pods is forbidden: exceeded quota"}, ForbiddenError),
        (403, {"details": caused(reason="NamespaceTerminating")}, ConflictError),
        (403, {"message": f"create not allowed {GOING}"}, NotServedError),
        (404, {"reason": "NotFound"}, NotFoundError),
        (404, {}, NotServedError),
        (405, {}, RejectedError),
        (408, {}, TransientError),
        (409, {}, ConflictError),
        (409, {"reason": "Conflict"}, ConflictError),
        (409, {"reason": "AlreadyExists"}, AlreadyExistsError),
        (410, {}, ExpiredError),
        (413, {}, RejectedError),
        (422, {}, RejectedError),
        (422, {"content_type": JSON_PATCH}, ConflictError),
        (
            422,
            {"content_type": JSON_PATCH, "details": caused(field="spec.size")},
            RejectedError,
        ),
        (422, {"content_type": APPLY_PATCH}, RejectedError),
        (
            422,
            {"content_type": APPLY_PATCH, "details": caused(field="metadata.uid")},
            ConflictError,
        ),
        (429, {}, TransientError),
        (
            500,
            {"message": "failed to create typed patch object: .x: no field"},
            RejectedError,
        ),
        (500, {"message": "failed to convert new object (a/b): illegal base64"}, RejectedError),
        (500, {"message": "etcdserver: request timed out"}, TransientError),
        (500, {"message": "etcdserver: mvcc: database space exceeded"}, StorageFullError),
        (500, {}, TransientError),
        (500, {"message": "Too large resource version: 9, current: 3"}, ExpiredError),
        (503, {}, TransientError),
        (504, {"message": "Too large resource version: 9, current: 3"}, ExpiredError),
    ],
)
def test_a_refusal_is_named_for_what_to_do_next(
    code: int, more: dict[str, Any], error: type[KubeError]
) -> None:
    found = refused(code, **more)
    assert type(found) is error


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        (0.0, None, 0.0),
        (3.0, None, 3.0),
        (0.0, {"retryAfterSeconds": 5}, 5.0),
        (3.0, {"retryAfterSeconds": 5}, 5.0),
        (9.0, {"retryAfterSeconds": 5}, 9.0),
    ],
)
def test_a_wait_is_what_the_server_asks_for_in_the_header_or_in_the_body(
    header: float, details: dict[str, Any] | None, seconds: float
) -> None:
    more: dict[str, Any] = {"details": details} if details else {}
    found = refused(429, retry_after=header, **more)
    assert isinstance(found, TransientError)
    assert found.retry_after == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "no", "reason": "Invalid"}', "no"),
        (b'{"reason": "Invalid"}', "Invalid"),
        (b"{}", "HTTP 418"),
        (b"", "HTTP 418"),
        (b"<html>Bad Gateway</html>\n", "<html>Bad Gateway</html>"),
        (b"[]", "[]"),
        (b"\xff\xfe", "��"),
        (b"x" * 500, "x" * 200),
    ],
)
def test_a_refusal_says_what_the_server_said(body: bytes, message: str) -> None:
    assert str(refusal(read_status(418, body))) == message
