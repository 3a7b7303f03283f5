"""What a local fleet consists of: its clusters, and the ports, addresses and files of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

HUB: Final = "hub"
DEFAULT: Final = "local"
MARK: Final = "MODELFLEET_DAEMON"
"""Set in the environment of all that the fleet starts, and so of all that those start."""

REGIONS: Final[Mapping[str, str]] = {
    "us": "centralus",
    "eu": "northeurope",
    "apac": "japaneast",
}
"""Members and the cloud regions whose prices they have."""

ENGINE_IMAGE: Final = "vllm/vllm-openai"
"""Pods of this image are played by the node runner, all others by kwok."""

SLOTS: Final = 60
"""Fleets side by side: as many as have ports below the ephemeral ones and networks in 127/8."""

_BASE, _PER_FLEET, _PER_CLUSTER = 18000, 100, 10
_GATEWAYS = 80


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of a cluster, counted from its first one."""

    first: int

    @property
    def apiserver(self) -> int:
        return self.first

    @property
    def etcd(self) -> int:
        return self.first + 1

    @property
    def etcd_peer(self) -> int:
        return self.first + 2

    @property
    def controller_manager(self) -> int:
        return self.first + 3

    @property
    def scheduler(self) -> int:
        return self.first + 4

    @property
    def kwok(self) -> int:
        return self.first + 5

    @property
    def karpenter_metrics(self) -> int:
        return self.first + 6

    @property
    def karpenter_health(self) -> int:
        return self.first + 7

    @property
    def health(self) -> int:
        """Of the hub or the member's agent."""
        return self.first + 8

    @property
    def runner(self) -> int:
        return self.first + 9

    @property
    def webhook(self) -> int:
        """Of the hub, which has no runner."""
        return self.runner


@dataclass(frozen=True, slots=True)
class Fleet:
    name: str
    slot: int
    """Which block of ports and addresses is its own."""
    members: tuple[str, ...]
    home: Path
    """Everything it writes lies below."""

    @property
    def clusters(self) -> tuple[str, ...]:
        return (HUB, *self.members)

    def ports(self, cluster: str) -> Ports:
        return Ports(self._first + _index(cluster) * _PER_CLUSTER)

    @property
    def gateway_port(self) -> int:
        return self._first + _GATEWAYS

    def regional_port(self, member: str) -> int:
        return self.gateway_port + _index(member)

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}/v1"

    def network(self, member: str) -> str:
        """Addresses of a member's pods: its own part of 127.0.0.0/8."""
        return f"127.{self.slot * len(REGIONS) + _index(member)}.0.0/16"

    @property
    def _first(self) -> int:
        return _BASE + self.slot * _PER_FLEET

    @property
    def kwok(self) -> Path:
        """The folder that kwokctl keeps its clusters in."""
        return self.home / "kwok"

    def cluster_home(self, cluster: str) -> Path:
        return self.kwok / "clusters" / cluster

    def kubeconfig(self, cluster: str) -> Path:
        return self.cluster_home(cluster) / "kubeconfig.yaml"

    def authority(self, cluster: str) -> Path:
        """Certificate that the cluster's API server is checked with."""
        return self.cluster_home(cluster) / "pki" / "ca.crt"

    def mark(self, cluster: str = "", name: str = "") -> str:
        """Value of MARK for a process of a cluster; without a name the start of all of them."""
        return ":".join([str(self.home), *filter(None, [cluster]), name])

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def pids(self) -> Path:
        return self.home / "pids"

    @property
    def config(self) -> Path:
        """Generated files that hold no secrets."""
        return self.home / "config"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"


def first_slot(name: str) -> int:
    """Where to look for a free block first: the default fleet's ports never change."""
    return 0 if name == DEFAULT else 1 + crc32(name.encode()) % (SLOTS - 1)


def _index(cluster: str) -> int:
    return 0 if cluster == HUB else 1 + tuple(REGIONS).index(cluster)
