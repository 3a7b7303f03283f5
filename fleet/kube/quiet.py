"""Keep what is in a Secret out of what is said of it: a server that refuses one may quote it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fleet.kube.errors import ConflictError, KubeError, NotFoundError
from fleet.kube.resources import ApiResource

KINDS: Final = frozenset({("v1", "Secret")})
HARMLESS: Final = (ConflictError, NotFoundError)
"""These name objects and fields, and no values."""


@contextmanager
def unquoted(resource: ApiResource, path: str) -> Iterator[None]:
    """Say that a Secret was refused instead of repeating the server's words."""
    try:
        yield
    except HARMLESS:
        raise
    except KubeError as error:
        if (resource.api_version, resource.kind) in KINDS:
            error.args = (_said(path),)
        raise


def _said(path: str) -> str:
    return (
        f"a Secret is refused ({path}); the server's words are left out, since they may quote "
        "what is in it: see them with kubectl apply --server-side --dry-run=server"
    )
