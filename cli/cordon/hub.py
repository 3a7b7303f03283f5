"""Give a member the taint on the hub, or take it away."""

from collections.abc import Callable, Sequence
from typing import Final

from cli.cordon.errors import CordonError
from cli.cordon.taints import named, with_cordon, without_cordon
from fleet.api.cluster import MemberCluster, Taint
from fleet.api.objects import Key
from fleet.kube.client import Client, swap
from fleet.kube.errors import ConflictError

TRIES: Final = 5
"""Of a change that others make at the same time."""
Change = Callable[[Sequence[Taint]], tuple[Taint, ...]]


async def cordon(hub: Client, name: str) -> str:
    """Keep new placements away, and say so."""
    if not await _changed(hub, name, with_cordon):
        return f"{name} is cordoned already"
    return f"{name} is cordoned: nothing new is placed there, and what is there stays"


async def uncordon(hub: Client, name: str) -> str:
    """Let new placements come again, and say what still keeps some away."""
    changed = await _changed(hub, name, without_cordon)
    others = ", ".join(map(named, (await found(hub, name)).spec.taints))
    still = f"; it still has the taints {others}" if others else ""
    return f"{name} is {'uncordoned' if changed else 'not cordoned'}{still}"


async def found(hub: Client, name: str) -> MemberCluster:
    member = await hub.get(MemberCluster, Key("", name))
    if member is None:
        raise CordonError(f"there is no member {name} on the hub: `modelfleet get members`")
    return member


async def _changed(hub: Client, name: str, change: Change) -> bool:
    for _ in range(TRIES):
        member = await found(hub, name)
        old, new = member.spec.taints, change(member.spec.taints)
        if old == new:
            return False
        there = [taint.dump() for taint in old] or None
        wanted = [taint.dump() for taint in new] or None
        try:
            await hub.json_patch(member, swap("/spec/taints", there, wanted))
        except ConflictError:
            continue
        return True
    raise CordonError(f"the taints of {name} are changed by others all the time: try again")
