"""What an API server asks before it takes an object, and what it is told."""

import json
from enum import StrEnum
from typing import Any, Final

from fleet.api.objects import Model

API: Final = "admission.k8s.io/v1"
FORBIDDEN: Final = 403


class Operation(StrEnum):
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class AskedKind(Model):
    group: str = ""
    version: str = ""
    kind: str = ""


class Question(Model):
    """An AdmissionRequest: may somebody write this?"""

    uid: str
    kind: AskedKind
    operation: Operation
    name: str = ""
    namespace: str = ""
    object: dict[str, Any] | None = None
    """As it would be; absent where it is deleted."""
    old_object: dict[str, Any] | None = None
    """As it is; absent where it is made."""


class Review(Model):
    """An AdmissionReview that asks."""

    request: Question


def read(body: bytes) -> Question:
    """Read a question; a ValueError says what is wrong with it."""
    return Review.model_validate_json(body).request


def answer(uid: str, refusal: str) -> bytes:
    """Allow it, or refuse it in these words."""
    status = {"code": FORBIDDEN, "reason": "Forbidden", "message": refusal}
    response = {"uid": uid, "allowed": not refusal} | ({"status": status} if refusal else {})
    return json.dumps({"apiVersion": API, "kind": "AdmissionReview", "response": response}).encode()
