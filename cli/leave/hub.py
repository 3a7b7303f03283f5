"""Read what the fleet has on a member, delete the member, and wait until it is gone."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cli.leave.farewell import Found, Left, waiting_for
from cli.local.waiting import until
from fleet.api import names
from fleet.api.binding import Binding, ClusterResourceBinding, ResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.api.objects import Key
from fleet.api.work import Work
from fleet.kube.client import Client
from fleet.kube.errors import (
    ForbiddenError,
    KubeError,
    NotFoundError,
    NotPermittedError,
    RejectedError,
)
from fleet.kube.resources import ApiResource

POLL_SECONDS: Final = 0.5
SKIP: Final = {"spec": {"deleteOptions": {"validationMode": "Skip"}}}
BINDINGS: Final[tuple[type[Binding], ...]] = (ClusterResourceBinding, ResourceBinding)


class LeaveError(Exception):
    """A member cannot leave, or has not; the text says why and what to do."""


async def found(hub: Client, name: str) -> Found:
    """Read a member; LeaveError where there is none."""
    member = await hub.get(MemberCluster, Key("", name))
    if member is None:
        raise LeaveError(f"there is no member {name} on the hub: `modelfleet get members`")
    bindings = [b for kind in BINDINGS for b in (await hub.list(kind)).objects()]
    works = (await hub.list(Work, names.member_namespace(name))).objects()
    return Found(member=member, bindings=tuple(bindings), works=works)


async def let_go(hub: Client, member: MemberCluster, *, skip_exports: bool = False) -> None:
    """Delete a member; LeaveError tells what the hub's admission has against it."""
    with suppress(NotFoundError):
        if skip_exports:
            kind = ApiResource.of(MemberCluster)
            await hub.dynamic.merge_patch(kind, member.key, SKIP)
        try:
            await hub.delete(member)
        except NotPermittedError:
            raise
        except (ForbiddenError, RejectedError) as error:
            raise LeaveError(f"{member.name} may not leave: {error}{_way_out(error)}") from error


def _way_out(error: KubeError) -> str:
    """Name the switch where Services that other clusters use are what speaks against it."""
    exports = "serviceexport" in str(error).lower()
    return "; --skip-export-check leaves all the same" if exports else ""


async def gone(hub: Client, name: str, seconds: float, say: Callable[[str], None]) -> None:
    """Wait until nothing of the member is left, and say what it takes."""
    said = ""

    async def nothing_left() -> bool:
        nonlocal said
        left = await _left(hub, name)
        if not left.gone and (now := waiting_for(left)) != said:
            said = now
            say(f"{name}: {said}")
        return left.gone

    if not await until(nothing_left, deadline=seconds, poll=POLL_SECONDS):
        again = f"`modelfleet leave {name}` goes on waiting, `modelfleet doctor` looks at the hub"
        raise LeaveError(f"{name} has not left within {seconds:.0f} s: it {said}; {again}")


async def _left(hub: Client, name: str) -> Left:
    home = names.member_namespace(name)
    return Left(
        member=await hub.get(MemberCluster, Key("", name)),
        namespace=await hub.get(Namespace, Key("", home)),
        works=(await hub.list(Work, home)).objects(),
    )
