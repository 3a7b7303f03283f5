"""Which hub a command reads: the one of the user's kubeconfig, else a local fleet's."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from cli.local.registry import Registry, state_folder
from cli.local.topology import DEFAULT, HUB, Fleet

LOCAL_FLEET = "MODELFLEET_FLEET"


class NoHubError(Exception):
    """No hub is known, or it cannot be asked; the text says what to do."""


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


def local_fleet(kubeconfig: str, environ: Mapping[str, str]) -> Fleet | None:
    """Find the local fleet whose hub a kubeconfig leads to."""
    fleet = Registry(state_folder(environ)).find(environ.get(LOCAL_FLEET) or DEFAULT)
    return fleet if fleet and fleet.kubeconfig(HUB) == Path(kubeconfig) else None


def asking_hub(module: str) -> Any:
    """Import what talks to an API server, only where one is asked."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        hint = "install it with: uv tool install 'modelfleet[kube]'"
        raise NoHubError(f"asking a hub needs {error.name}; {hint}") from error
