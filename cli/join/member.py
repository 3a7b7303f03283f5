"""The member's side of joining: the token in its Secret, the charts, and the agent's first word."""

import os
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from cli.charts import NAMESPACE
from cli.join.errors import JoinError
from cli.join.invitation import AGENT, CRDS, MANAGER, Invitation, as_yaml, helm, manifests, values
from cli.kubeconfigs import Access
from cli.local.errors import CommandError
from cli.local.execute import execute
from cli.local.waiting import until
from cli.programs import program
from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.core import Namespace
from fleet.api.objects import Key
from fleet.kube.client import ApiClient, Client
from fleet.kube.config import from_kubeconfig
from fleet.kube.errors import KubeError

HELM_SECONDS: Final = 120.0
PERIODS: Final = 3
"""Heartbeats after which who is not heard of may have been replaced."""
POLL_SECONDS: Final = 0.5


@asynccontextmanager
async def member_client(access: Access) -> AsyncIterator[ApiClient]:
    """Lend a client; JoinError says which member refuses or does not answer."""
    try:
        client = ApiClient(from_kubeconfig(access.kubeconfig, context=access.context), MANAGER)
        try:
            yield client
        finally:
            await client.close()
    except KubeError as error:
        raise JoinError(f"the member of {access.kubeconfig}: {error}") from error


async def recognised(member: Client, there: MemberCluster | None, now: datetime) -> None:
    """Refuse a second cluster of a name that another one reports under; JoinError names both."""
    system = await member.get(Namespace, Key("", "kube-system"))
    if system and there and (other := reporting(there, now)) not in ("", system.metadata.uid):
        hint = "choose another name, or let that one leave first"
        raise JoinError(
            f"another cluster reports as {there.name} just now ({other}; this one is"
            f" {system.metadata.uid}): {hint}"
        )


def reporting(there: MemberCluster, now: datetime) -> str:
    """Name the cluster that is heard under a member's name; empty where none is, or not which."""
    said, period = (
        there.status.properties.get(names.CLUSTER_ID),
        there.spec.heartbeat_period_seconds,
    )
    heard = there.heartbeat and now - there.heartbeat < timedelta(seconds=PERIODS * period)
    return said.value if said and heard else ""


async def put_token(member: Client, invitation: Invitation) -> None:
    """Put the token into its Secret, in the place of another."""
    for manifest in manifests(invitation):
        await member.dynamic.apply(manifest, force=True)


async def install(access: Access, invitation: Invitation) -> None:
    """Install the agent's charts, or bring them to what they should be."""
    binary = program("helm", os.environ)
    context = ("--kube-context", access.context) if access.context else ()
    environ = {"KUBECONFIG": access.kubeconfig}
    for release, given in ((CRDS, b""), (AGENT, as_yaml(values(invitation)).encode())):
        more = ("--values", "-") if given else ()
        words = helm(release, invitation.charts, *more, *context)
        try:
            await execute([binary, *words], environ=environ, stdin=given, deadline=HELM_SECONDS)
        except CommandError as error:
            raise explained(error, words) from error


def explained(error: CommandError, words: list[str]) -> Exception:
    """Say how kinds that somebody else installed are taken over: that is for people to decide."""
    if "ownership metadata" not in str(error):
        return error
    take = shlex.join(["helm", *words, "--take-ownership"])
    return JoinError(
        "the member has kinds that were installed without Helm, by hand or by KAITO or KubeFleet;"
        f" if they may be ours now, run `{take}` and join again"
    )


async def heard(hub: Client, name: str, before: datetime | None, seconds: float) -> None:
    """Wait until the agent reports to the hub, anew where it did before."""

    async def reports() -> bool:
        there = await hub.get(MemberCluster, Key("", name))
        return there is not None and there.joined and there.heartbeat not in (None, before)

    if not await until(reports, deadline=seconds, poll=POLL_SECONDS):
        look = f"kubectl --namespace={NAMESPACE} logs deployment/{AGENT}"
        raise JoinError(
            f"the agent of {name} has not reported within {seconds:.0f} s: on the member,"
            f" `{look}` says why; when that is mended, nothing else is to be done"
        )
