"""Server-side apply and JSON patch, as far as our objects need the server's manners."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Final

from fleet.kube.errors import ConflictError

MAPS: Final = {
    ("metadata", "ownerReferences"): "uid",
    ("status", "conditions"): "type",
}
"""Lists that the server keeps as maps, and by which field; it replaces other lists as a whole."""
SETS: Final = {("metadata", "finalizers")}
Path = tuple[str, ...]


def merged(live: Any, last: Any, new: Any, *, force: bool, path: Path = ()) -> Any:
    """Apply as one manager: what it leaves out goes, what another has changed is a conflict."""
    if isinstance(new, dict):
        return _merged_dicts(live or {}, last or {}, new, force=force, path=path)
    if path in SETS:
        others = [item for item in live or () if item not in (last or ())]
        return [*dict.fromkeys([*others, *new])]
    if path in MAPS:
        field = MAPS[path]
        parts = (_by(field, items) for items in (live, last, new))
        return [*merged(*parts, force=force, path=(*path, "*")).values()]
    if not force and live not in (None, last, new):
        raise ConflictError(f"{'.'.join(path)}: another manager has made it {live}")
    return new


def _merged_dicts(
    live: Mapping[str, Any], last: Mapping[str, Any], new: Any, *, force: bool, path: Path
) -> dict[str, Any]:
    kept = {key: live[key] for key in live if key in new or key not in last}
    dropped = {key: _without(live[key], last[key]) for key in live if key in last.keys() - new}
    return (
        kept
        | {key: value for key, value in dropped.items() if value not in (None, {}, [])}
        | {
            key: merged(live.get(key), last.get(key), value, force=force, path=(*path, key))
            for key, value in new.items()
        }
    )


def _without(live: Any, last: Any) -> Any:
    """Give what is left of `live` when a manager gives up what it applied as `last`."""
    if isinstance(live, dict) and isinstance(last, dict):
        left = {key: _without(live[key], last[key]) if key in last else live[key] for key in live}
        return {key: value for key, value in left.items() if value is not None} or None
    if isinstance(live, list) and isinstance(last, list):
        return [item for item in live if item not in last] or None
    return None if live == last else live


def _by(field: str, items: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    return {item[field]: item for item in items or ()}


def merge_patched(live: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    base = dict(live) if isinstance(live, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            base.pop(key, None)
        else:
            base[key] = merge_patched(base.get(key), value)
    return base


def operate(body: dict[str, Any], operation: Mapping[str, Any]) -> None:
    """Carry out one operation of a JSON patch (RFC 6902); what fails is a ConflictError."""
    *parents, leaf = (_unescaped(part) for part in operation["path"].split("/")[1:])
    try:
        target = reduce(_step, parents, body)
    except (KeyError, IndexError) as error:
        raise ConflictError(f"{operation['path']} is absent") from error
    match operation["op"]:
        case "test":
            if _at(target, leaf) != operation["value"]:
                raise ConflictError(f"{operation['path']} is {_at(target, leaf)}")
        case "remove":
            _remove(target, leaf)
        case _:
            _add(target, leaf, operation)


def _step(node: Any, part: str) -> Any:
    return node[int(part)] if isinstance(node, list) else node[part]


def _at(target: Any, leaf: str) -> Any:
    if isinstance(target, list):
        return target[int(leaf)] if int(leaf) < len(target) else None
    return target.get(leaf)


def _remove(target: Any, leaf: str) -> None:
    if _at(target, leaf) is None:
        raise ConflictError(f"{leaf} is absent")
    del target[int(leaf) if isinstance(target, list) else leaf]


def _add(target: Any, leaf: str, operation: Mapping[str, Any]) -> None:
    if not isinstance(target, list):
        target[leaf] = operation["value"]
    elif leaf == "-":
        target.append(operation["value"])
    elif operation["op"] == "replace":
        target[int(leaf)] = operation["value"]
    else:
        target.insert(int(leaf), operation["value"])


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
