"""Which hub a command reads: the one of the user's kubeconfig, else a local fleet's."""

import os
from pathlib import Path

from cli.local.registry import Registry, state_folder
from cli.local.topology import DEFAULT, HUB

LOCAL_FLEET = "MODELFLEET_FLEET"


def hub_kubeconfig(given: str) -> str:
    """Find the hub's kubeconfig: given, of the local fleet that is named, the user's, or local."""
    usual = Path.home() / ".kube" / "config"
    if given:
        return given
    if LOCAL_FLEET not in os.environ and usual.exists():
        return str(usual)
    fleet = Registry(state_folder(os.environ)).find(os.environ.get(LOCAL_FLEET, DEFAULT))
    return str(fleet.kubeconfig(HUB)) if fleet else str(usual)
