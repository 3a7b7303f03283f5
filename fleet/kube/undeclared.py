"""Fields of ours that an older CRD of the server lacks: left out of what is written, and named."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fleet.kube.answers import UNDECLARED
from fleet.kube.errors import RejectedError
from fleet.kube.lacks import Lack, meet
from fleet.kube.resources import ApiResource
from fleet.kube.serve import INSTALL
from fleet.kube.verbs import Verbs

FIELD: Final = re.compile(rf"(\.\S+): {UNDECLARED}")
STEP: Final = re.compile(r"\.([^.\[]+)|(\[[^\]]*\])")
EACH: Final = ""
"""A step into every element of a list."""
log = logging.getLogger(__name__)


class Undeclared:
    """Applies as much of an object as the server's schema knows, and says once what it lacks."""

    def __init__(self) -> None:
        self._named: set[Lack] = set()
        self._paths: dict[Lack, tuple[str, ...]] = {}

    @property
    def lacks(self) -> frozenset[Lack]:
        """What was left out when it was to be written last."""
        return frozenset(self._paths)

    async def apply(
        self,
        verbs: Verbs,
        kind: ApiResource,
        manifest: Mapping[str, Any],
        *,
        force: bool,
        subresource: str = "",
    ) -> bytes:
        """Write in spite of fields that are not known: each may be absent, and so it is then."""
        while True:
            try:
                stored = await verbs.apply(kind, manifest, force=force, subresource=subresource)
            except RejectedError as error:
                paths = undeclared(str(error))
                less = without(manifest, paths)
                if less == manifest:
                    raise
                manifest = less
                self._leave_out(kind, paths)
            else:
                self._written(kind, manifest)
                return stored

    def _leave_out(self, kind: ApiResource, paths: Sequence[tuple[str, ...]]) -> None:
        for path in paths:
            lack = Lack(kind.crd, ".".join(filter(None, path)))
            self._paths[lack] = path
            self._name(lack)

    def _written(self, kind: ApiResource, manifest: Mapping[str, Any]) -> None:
        """Notice that a newer CRD knows a field."""
        for lack, path in tuple(self._paths.items()):
            if lack.crd == kind.crd and without(manifest, [path]) != manifest:
                del self._paths[lack]

    def _name(self, lack: Lack) -> None:
        meet(lack)
        if lack in self._named:
            return
        self._named.add(lack)
        why = f"{lack.crd} has no field {lack.field}: it is left out"
        log.warning("a CRD is an older one", extra={"why": why, "way_out": INSTALL})


def undeclared(message: str) -> tuple[tuple[str, ...], ...]:
    """Read from a refusal the paths of the fields that the schema lacks."""
    paths = (STEP.findall(path) for path in FIELD.findall(message))
    return tuple(tuple(name or EACH for name, _ in steps) for steps in paths)


def without(body: Any, paths: Sequence[tuple[str, ...]]) -> Any:
    """Leave fields out of an object."""
    for path in paths:
        body = _less(body, path)
    return body


def _less(body: Any, path: tuple[str, ...]) -> Any:
    if not path:
        return body
    step, *rest = path
    if step == EACH and isinstance(body, list):
        return [_less(each, tuple(rest)) for each in body]
    if not isinstance(body, Mapping) or step not in body:
        return body
    if rest:
        return {**body, step: _less(body[step], tuple(rest))}
    return {name: value for name, value in body.items() if name != step}
