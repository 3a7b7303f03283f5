"""The hub's side of joining: the member's object, what the hub makes for it, and a token."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cli.join.address import HubAddress, checked_url
from cli.join.errors import JoinError
from cli.local.waiting import until
from cli.members import account_of, member_cluster
from fleet.api import names
from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.core import Namespace, ServiceAccount
from fleet.api.objects import Key
from fleet.kube.client import Client
from fleet.kube.config import Connection
from fleet.kube.errors import NotFoundError
from fleet.kube.resources import ApiResource
from fleet.kube.tokens import HOURS, life_of

POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a member's object; what is not asked stays as it is."""

    name: str
    labels: Mapping[str, str]
    heartbeat: int | None = None

    def lacking(self, there: MemberCluster) -> dict[str, Any]:
        """Return the merge patch that brings an object to what is asked; empty: it is so."""
        labels = {k: v for k, v in self.labels.items() if there.metadata.labels.get(k) != v}
        patch: dict[str, Any] = {"metadata": {"labels": labels}} if labels else {}
        if self.heartbeat not in (None, there.spec.heartbeat_period_seconds):
            patch["spec"] = {"heartbeatPeriodSeconds": self.heartbeat}
        return patch


async def admit(hub: Client, wanted: Wanted, say: Callable[[str], None]) -> MemberCluster:
    """Make the member's object, or say that it is there and bring it to what is asked."""
    there = await hub.get(MemberCluster, Key("", wanted.name))
    if there is None:
        made = member_cluster(wanted.name, wanted.labels, wanted.heartbeat)
        try:
            return await hub.apply(made)
        except NotFoundError as error:
            hint = "install the charts modelfleet-crds and modelfleet-hub there first"
            raise JoinError(f"this cluster is no hub, it has no MemberClusters: {hint}") from error
    _not_leaving(there)
    say(f"{wanted.name} is on the hub already: {standing(there)}")
    if patch := wanted.lacking(there):
        kind = ApiResource.of(MemberCluster)
        await hub.dynamic.merge_patch(kind, there.key, patch)
        say(f"changed of {wanted.name}: {json.dumps(patch)}")
    return there


async def known(hub: Client, name: str) -> MemberCluster:
    """Return a member that is there."""
    if there := await hub.get(MemberCluster, Key("", name)):
        _not_leaving(there)
        return there
    hint = f"`modelfleet join {name}` makes it, `modelfleet get members` shows all"
    raise JoinError(f"there is no member {name} on the hub: {hint}")


def standing(member: MemberCluster) -> str:
    """Say in a few words how far a member is."""
    if not member.joined:
        return "its agent has not joined yet"
    beat = member.heartbeat
    return f"joined, last heard of at {beat:%H:%M:%S} UTC" if beat else "joined"


def _not_leaving(member: MemberCluster) -> None:
    if member.deleting:
        hint = f"join again once it is gone; `modelfleet leave {member.name}` waits for that"
        raise JoinError(f"{member.name} is leaving the fleet: {hint}")


async def prepared(hub: Client, member: MemberCluster, seconds: float) -> None:
    """Wait until the hub has made what the member's agent needs there."""
    lacking: list[str] = []

    async def complete() -> bool:
        lacking[:] = await _lacking(hub, member)
        return not lacking

    if not await until(complete, deadline=seconds, poll=POLL_SECONDS):
        waited = f"the hub has not made {lacking[0] if lacking else 'it'} within {seconds:.0f} s"
        raise JoinError(f"{waited}: does it run? `modelfleet doctor` says what is wrong")


async def _lacking(hub: Client, member: MemberCluster) -> list[str]:
    namespace, account = names.member_namespace(member.name), account_of(member)
    wanted: tuple[tuple[type[Any], Key], ...] = (
        (Namespace, Key("", namespace)),
        (ServiceAccount, account),
        (InternalMemberCluster, Key(namespace, member.name)),
    )
    return [f"{kind.kind()} {key}" for kind, key in wanted if await hub.get(kind, key) is None]


async def token_for(hub: Client, member: MemberCluster) -> tuple[str, datetime]:
    """Have the hub sign a token for the member's agent, and say when it ends."""
    token = await hub.request_token(account_of(member), HOURS * 3600)
    life = life_of(token)
    if life is None:
        raise JoinError(f"the hub signs tokens that nobody can read, for {account_of(member)}")
    return token, life.expires


def address_of(connection: Connection, given: str) -> HubAddress:
    """Take the hub's address from the kubeconfig, or as it is given."""
    if not connection.verify:
        hint = "give it the hub's certificate-authority-data instead"
        raise JoinError(f"the hub's kubeconfig checks no certificates, an agent has to: {hint}")
    ca = Path(connection.ca_file).read_text(encoding="utf-8") if connection.ca_file else ""
    return HubAddress(checked_url(given or connection.server), ca)
