"""Who wrote which field in which version of a kind, as the server books it in managedFields. Pure.

To see whose a field is, the server reads an object in each of these versions, and fails where one
lacks a field that is set: no apply is possible any more until the books say another version.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from fleet.kube import wire
from fleet.kube.answers import UNDECLARED
from fleet.kube.errors import RejectedError

Entry = Mapping[str, Any]
OF_OURS: Final = "typed patch object"
"""What the server says where it is we who write a field that it does not know."""


class Metadata(Struct, rename="camel"):
    uid: str = ""
    resource_version: str = ""
    managed_fields: list[dict[str, Any]] = []


class Booked(Struct):
    metadata: Metadata


booked = wire.decoder(Booked)


def unreadable(error: RejectedError) -> bool:
    """Say whether an apply was refused for what is there already, and not for what it says."""
    return UNDECLARED in str(error) and OF_OURS not in str(error)


def renewed(metadata: Metadata, version: str) -> Sequence[Entry]:
    """Have everybody have written in one version; empty where they have."""
    books = metadata.managed_fields
    new = [entry | {"apiVersion": version} for entry in books]
    return new if new != books else ()


def renewing(metadata: Metadata, new: Sequence[Entry]) -> Sequence[Entry]:
    """Change the books of an object that is as it was read."""
    return (
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata.resource_version},
        {"op": "replace", "path": "/metadata/managedFields", "value": new},
    )
