"""Which hub a command reads: the one of the user's kubeconfig, else a local fleet's."""

from collections.abc import Mapping
from pathlib import Path

from cli.local.registry import Registry, state_folder
from cli.local.topology import DEFAULT, HUB

LOCAL_FLEET = "MODELFLEET_FLEET"


class NoHubError(Exception):
    """No hub is known; the text says how to name one."""


def hub_kubeconfig(given: str, environ: Mapping[str, str]) -> str:
    """Find the hub's kubeconfig: given, of the local fleet that is named, the user's, or local."""
    if given:
        return given
    named = environ.get(LOCAL_FLEET, "")
    usual = Path(environ.get("HOME") or Path.home()) / ".kube" / "config"
    if not named and usual.exists():
        return str(usual)
    if fleet := Registry(state_folder(environ)).find(named or DEFAULT):
        return str(fleet.kubeconfig(HUB))
    hint = "say --kubeconfig FILE, or run `modelfleet up` for a local fleet"
    if named:
        raise NoHubError(f"there is no local fleet {named}, which {LOCAL_FLEET} names: {hint}")
    raise NoHubError(f"there is no {usual}: {hint}")
