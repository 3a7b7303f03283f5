"""`modelfleet approve`: KubeFleet's verb of that name, with its flags."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from cli.hub_access import NoHubError
from cli.hub_client import hub_client
from cli.options import Kubeconfig, command
from cli.output import fail
from cli.rollout.approvals import approved, word
from cli.rollout.subject import RolloutError
from fleet.api import durations
from fleet.api.objects import Key
from fleet.api.staged_update import Approval, ApprovalRequest, ClusterApprovalRequest


class Kind(StrEnum):
    """As KubeFleet names them, in full and short."""

    CLUSTER = "clusterapprovalrequest"
    CAREQ = "careq"
    NAMESPACED = "approvalrequest"
    AREQ = "areq"

    @property
    def model(self) -> type[Approval]:
        cluster = self in {Kind.CLUSTER, Kind.CAREQ}
        return ClusterApprovalRequest if cluster else ApprovalRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    kind: Annotated[Kind, typer.Argument(case_sensitive=False, help="What to approve.")]
    name: Annotated[str, typer.Option(help="Of the request.")]
    namespace: Annotated[
        str, typer.Option("-n", "--namespace", help="Of an approvalrequest; the other has none.")
    ] = ""
    hub_cluster_context: Annotated[
        str,
        typer.Option(
            "--hub-cluster-context",
            "--hubClusterContext",
            help="Of the kubeconfig; else the current one.",
        ),
    ] = ""
    timeout: Annotated[str, typer.Option(help="How long it may take, such as 90s.")] = "5m"
    kubeconfig: Kubeconfig = ""


def _approve(options: Options) -> None:
    """Approve a request by its name, as `kubectl fleet approve` does.

    Example: modelfleet approve clusterapprovalrequest --name chat-2-after-us

    Example: modelfleet approve areq --hub-cluster-context hub -n models --name chat-2-before-eu
    """
    try:
        typer.echo(asyncio.run(_within(options)))
    except (RolloutError, NoHubError) as error:
        raise fail(str(error)) from error


async def _within(options: Options) -> str:
    try:
        patience = durations.read(options.timeout)
    except ValueError as error:
        raise RolloutError(f"--timeout: {error}") from error
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await _approved(options)
    except TimeoutError as error:
        raise RolloutError(f"nothing was heard of the hub within {options.timeout}") from error


async def _approved(options: Options) -> str:
    model, key = options.kind.model, Key(options.namespace, options.name)
    if model.NAMESPACED and not key.namespace:
        raise RolloutError(f"-n: {model.kind()}s are in a namespace, which must be named")
    if key.namespace and not model.NAMESPACED:
        raise RolloutError(f"-n: {model.kind()}s are in no namespace")
    async with hub_client(options.kubeconfig, options.hub_cluster_context) as hub:
        request = await hub.get(model, key)
        if request is None:
            raise RolloutError(f"there is no {model.kind()} {key} on the hub")
        if not approved(request):
            await hub.patch_status(request, word(request, hub.now()))
    return f"{model.kind()} {key} is approved"


approve = command(Options, _approve)
