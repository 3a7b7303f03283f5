"""What `modelfleet join` does, one step after another."""

from collections.abc import Mapping
from pathlib import Path

import typer

from cli.charts import NAMESPACE, charts_folder
from cli.hub_access import hub_kubeconfig
from cli.hub_client import hub_client
from cli.join.address import loopback_warning
from cli.join.errors import JoinError
from cli.join.hub import Wanted, address_of, admit, known, prepared, token_for
from cli.join.invitation import (
    CHARTS,
    SECRET,
    Files,
    Invitation,
    as_yaml,
    document,
    manifests,
    script,
    values,
)
from cli.join.member import heard, install, member_client, put_token, recognised
from cli.join.options import Options
from cli.kubeconfigs import Access
from cli.local.progress import Progress
from cli.members import checked_name, labels_of
from cli.output import Output, print_document
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.runtime import secret_files

_FOLDER_MODE = 0o700


async def run(options: Options, environ: Mapping[str, str]) -> None:
    """Do the hub's side, then the member's or what its admin needs for it."""
    progress = Progress()
    wanted = Wanted(
        name=checked_name(options.name),
        labels=labels_of(options.label or [], options.region),
        heartbeat=options.heartbeat,
    )
    async with hub_client(options.hub_kubeconfig, options.hub_context) as hub:
        invitation = await _invite(hub, wanted, options, progress)
        if options.both_sides:
            path = options.kubeconfig or hub_kubeconfig(options.hub_kubeconfig, environ)
            await _both(hub, Access(path, options.context), invitation, options)
    if not options.both_sides:
        _hand_over(invitation, options)


async def _invite(
    hub: ApiClient, wanted: Wanted, options: Options, progress: Progress
) -> Invitation:
    address = address_of(hub.connection, options.hub_url)
    if warning := loopback_warning(address.url):
        progress.say(f"warning: {warning}")
    if options.renew:
        member = await known(hub, wanted.name)
    else:
        member = await admit(hub, wanted, progress.say)
    with progress.step(f"the hub makes what {wanted.name} needs there"):
        await prepared(hub, member, options.timeout)
    token, expires = await token_for(hub, member)
    return Invitation(
        member=wanted.name,
        hub=address,
        token=token,
        expires=expires,
        charts=options.charts or str(charts_folder()),
    )


async def _both(hub: ApiClient, side: Access, invitation: Invitation, options: Options) -> None:
    """Go on with the member's side, until its agent has reported."""
    progress, name = Progress(), invitation.member
    async with member_client(side) as member:
        if member.connection.server == hub.connection.server:
            hint = "name the member's with --kubeconfig and --context"
            raise JoinError(f"the member's kubeconfig leads to the hub itself: {hint}")
        before = await hub.get(MemberCluster, Key("", name))
        await recognised(member, before, hub.now())
        with progress.step(f"{name}: Secret {NAMESPACE}/{SECRET}"):
            await put_token(member, invitation)
    if not options.renew:
        with progress.step(f"{name}: charts {', '.join(CHARTS)}"):
            await install(side, invitation)
    with progress.step(f"{name}: the agent reports to the hub"):
        await heard(hub, name, before.heartbeat if before else None, options.timeout)
    _tell(invitation, options)


def _tell(invitation: Invitation, options: Options) -> None:
    if options.output is Output.TABLE:
        typer.echo(f"{invitation.member} has joined: `modelfleet get members`")
        return
    expires = invitation.expires.isoformat()
    said = {"member": invitation.member, "joined": True, "token": {"expires": expires}}
    print_document(said, options.output)


def _hand_over(invitation: Invitation, options: Options) -> None:
    """Print what the member's admin needs, or put the parts that need care into files."""
    files = _written(invitation, Path(options.output_dir)) if options.output_dir else Files()
    if options.output is Output.TABLE:
        typer.echo(script(invitation, files, renew=options.renew))
    else:
        print_document(document(invitation, files), options.output)


def _written(invitation: Invitation, folder: Path) -> Files:
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        parts = {
            "token": ("token", invitation.token),
            "ca": ("hub-ca.crt", invitation.hub.ca),
            "manifests": ("hub-token.yaml", as_yaml(*manifests(invitation))),
            "values": ("values.yaml", as_yaml(values(invitation))),
        }
        for name, text in parts.values():
            secret_files.write(folder / name, text)
    except OSError as error:
        raise JoinError(f"--output-dir: {error}") from error
    return Files(**{part: str(folder / name) for part, (name, _) in parts.items()})
