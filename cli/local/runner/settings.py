"""Settings of the node runner."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

PREFIX = "RUNNER_"
HANDED_ON = ("LOCAL_ENGINE_", "MODELFLEET_DAEMON")
"""What of our own environment engines get: their settings, and whose fleet they are of."""


class SettingError(Exception):
    """Names the setting that is missing or wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    cluster: str
    """Whose nodes we run; told in the log only."""
    network: IPv4Network
    """Part of 127.0.0.0/8 from which pods get their addresses; no other member has it."""
    images: tuple[str, ...]
    """Repositories of images, without registry and tag, for which the engine stands in."""
    folder: Path
    """Where pods have their files: what runs, its output, its volumes."""
    search_path: str
    """Where pods find programs that the engine's image does not stand for."""
    health_listen: str
    """host:port of /healthz and /readyz; nothing listens where it is empty."""
    log_level: str
    handed_on: Mapping[str, str]
    """Variables that every engine gets."""


def read(environ: Mapping[str, str]) -> Settings:
    """Read RUNNER_CLUSTER and so on; a SettingError names what cannot be used."""
    images = environ.get("RUNNER_ENGINE_IMAGE", "vllm/vllm-openai").split(",")
    return Settings(
        cluster=environ.get("RUNNER_CLUSTER", ""),
        network=_network(_needed(environ, "RUNNER_NETWORK")),
        images=tuple(image.strip() for image in images if image.strip()),
        folder=Path(_needed(environ, "RUNNER_LOG_DIR")).absolute() / "pods",
        search_path=environ.get("PATH", os.defpath),
        health_listen=environ.get("RUNNER_HEALTH_LISTEN", ""),
        log_level=environ.get("RUNNER_LOG_LEVEL", "INFO"),
        handed_on={k: v for k, v in environ.items() if k.startswith(HANDED_ON)},
    )


def _needed(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise SettingError(f"{name} is not set")


def _network(text: str) -> IPv4Network:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise SettingError(f"RUNNER_NETWORK: {error}") from error
    if not network.is_loopback or network.num_addresses < 4:  # noqa: PLR2004
        raise SettingError(f"RUNNER_NETWORK: {text} is no part of 127.0.0.0/8, or too small")
    return network
