"""`modelfleet join`: a cluster becomes a member of the fleet, or gets a new token."""

import asyncio
import os

from cli.hub_access import NoHubError
from cli.join.errors import JoinError
from cli.join.options import Options
from cli.join.steps import run
from cli.local.errors import LocalError
from cli.members import NotAMemberError
from cli.options import command
from cli.output import fail
from cli.programs import NoProgramError


def _join(options: Options) -> None:
    """Make a cluster a member of the fleet, and say how its agent is installed.

    What is printed is one shell script for the member; it holds a token, so treat it as a
    password, or have it put into files that only you may read: --output-dir.

    Example: modelfleet join us --region centralus

    Example: modelfleet join us --context prod-us --hub-url https://hub.example.com:6443

    Example: modelfleet join us --renew --kubeconfig us.yaml
    """
    try:
        asyncio.run(run(options, os.environ))
    except (JoinError, LocalError, NoHubError, NoProgramError, NotAMemberError) as error:
        raise fail(str(error)) from error


join = command(Options, _join)
