"""Tell whether an object that we derive is as it should be; the server fills in defaults. Pure."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fleet.api import names
from fleet.api.objects import Resource


def stamp(wanted: Resource) -> str:
    """Sum up what is wanted, so that a field that is wanted no more is noticed too."""
    text = json.dumps(_content(wanted), sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


def stamped(wanted: Resource) -> dict[str, str]:
    return {**wanted.metadata.annotations, names.SPEC_HASH: stamp(wanted)}


def as_wanted(live: Resource | None, wanted: Resource) -> bool:
    """Say whether `live` holds all that is wanted, and was last written for just that."""
    if live is None or live.metadata.annotations.get(names.SPEC_HASH) != stamp(wanted):
        return False
    return holds(_content(live), _content(wanted))


def holds(live: Any, wanted: Any) -> bool:
    """Say whether every field of `wanted` is in `live` with its value."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(
            key in live and holds(live[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(holds(a, b) for a, b in zip(live, wanted, strict=True))
        )
    return bool(live == wanted)


def _content(resource: Resource) -> dict[str, Any]:
    body = resource.dump()
    metadata = body.pop("metadata", {})
    body.pop("status", None)
    annotations = dict(metadata.get("annotations", {}))
    annotations.pop(names.SPEC_HASH, None)
    return {**body, "labels": metadata.get("labels", {}), "annotations": annotations}
