"""Whether an object still has all that we wrote, whatever the server and others added to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleet.engine.quantity import parse


def covers(live: Any, wanted: Any) -> bool:
    """Compare as the server keeps things: what is empty is left out, a quantity is put shorter."""
    if not wanted and not live:
        return True
    if isinstance(wanted, Mapping):
        there = live if isinstance(live, Mapping) else {}
        return all(covers(there.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return isinstance(live, Sequence) and _covers_all(live, wanted)
    return bool(live == wanted) or _same_amount(live, wanted)


def _covers_all(live: Sequence[Any], wanted: Sequence[Any]) -> bool:
    """Others may add to a list whose items have names; all other lists are one writer's."""
    names, there = _by_name(wanted), _by_name(live)
    if len(names) == len(wanted) and len(there) == len(live):
        return all(covers(there.get(name), item) for name, item in names.items())
    return len(live) == len(wanted) and all(map(covers, live, wanted))


def _by_name(items: Sequence[Any]) -> dict[str, Any]:
    return {item["name"]: item for item in items if isinstance(item, Mapping) and "name" in item}


def _same_amount(live: Any, wanted: Any) -> bool:
    one, other = (parse(str(value)) for value in (live, wanted))
    return one is not None and one == other
