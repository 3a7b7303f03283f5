"""Bring a local fleet up, or what is missing of it: clusters first, then who works on them."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from cli.local import accounts, pools, processes
from cli.local.accounts import Account
from cli.local.binaries import Binaries
from cli.local.charts import Helm, Release, releases
from cli.local.credentials import Credentials
from cli.local.daemons import Daemon, Daemons
from cli.local.errors import DeadlineError
from cli.local.kubectl import Kubectl, Manifest
from cli.local.kwok import ControlPlane
from cli.local.progress import Progress
from cli.local.status import api_ready
from cli.local.topology import HUB, REGIONS, Fleet
from cli.local.waiting import until
from cli.members import AGENT, member_cluster
from fleet.api import names
from fleet.catalog.catalogue import Catalogue
from fleet.kube.tokens import HOURS, RENEW_AT

API_SERVER_SECONDS = 60.0
CRD_SECONDS = 60.0
READY_SECONDS = 60.0
JOIN_SECONDS = 60.0
_TOKEN_LEFT: Final = timedelta(hours=HOURS * (1 - RENEW_AT))
"""With less than this left of a token its agent was not there to renew it."""
_HEARTBEAT_SECONDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What bringing up takes from outside."""

    fleet: Fleet
    binaries: Binaries
    catalogue: Catalogue
    crds: Path
    """Folder with our own CRDs."""
    progress: Progress


class BringUp:
    """Each step does nothing where its work is done already, so that all may run again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._fleet = parts.fleet
        self._progress = parts.progress
        self._daemons = Daemons(parts.fleet)
        self._credentials = Credentials(parts.fleet.secrets)

    async def control_planes(self) -> None:
        """Start all clusters and what provisions in them; none of our own programs."""
        self._prepare()
        await together(self._hub_cluster(), *map(self._member_cluster, self._fleet.members))

    async def all(self) -> None:
        self._prepare()
        hub_serves = asyncio.Event()
        regions = (self._region(member, hub_serves) for member in self._fleet.members)
        await together(self._hub(hub_serves), *regions)

    async def cluster(self, cluster: str) -> None:
        """Start one cluster with its programs again."""
        self._prepare()
        hub_serves = asyncio.Event()
        hub_serves.set()
        await (self._hub(hub_serves) if cluster == HUB else self._region(cluster, hub_serves))

    def _prepare(self) -> None:
        self._credentials.create()
        for member in self._fleet.members:
            text = pools.instance_types(member, self._parts.catalogue)
            self._instance_types(member).write_text(text)
        for cluster in self._fleet.clusters:
            for release in releases(self._fleet, cluster):
                accounts.write_kubeconfig(self._fleet, release, self._credentials)

    async def _hub(self, serves: asyncio.Event) -> None:
        await self._hub_control_plane()
        await together(self._hub_kinds(serves), self._accounts(HUB))
        hub = processes.hub(self._fleet, self._credentials)
        gateway = processes.global_gateway(self._fleet, self._credentials)
        await together(self._run(hub), self._run(gateway))

    async def _hub_control_plane(self) -> None:
        with self._progress.step("hub: control plane"):
            await self._control_plane(HUB)

    async def _hub_kinds(self, serves: asyncio.Event | None = None) -> None:
        """Apply the CRDs ourselves: they have to be there first, and a release is slower."""
        with self._progress.step("hub: CRDs"):
            await self._kubectl(HUB).apply_crds(self._parts.crds, deadline=CRD_SECONDS)
            if serves:
                await self._kubectl(HUB).apply(map(_member, self._fleet.members))
                serves.set()

    async def _hub_cluster(self) -> None:
        await self._hub_control_plane()
        await self._hub_kinds()

    async def _region(self, member: str, hub_serves: asyncio.Event) -> None:
        await self._member_control_plane(member)
        await together(self._member_parts(member), self._accounts(member))
        gateway = processes.regional_gateway(self._fleet, member, self._credentials)
        runner = processes.runner(self._fleet, member)
        await together(self._run(gateway), self._run(runner), self._agent(member, hub_serves))

    async def _member_cluster(self, member: str) -> None:
        await self._member_control_plane(member)
        await self._member_parts(member)

    async def _member_control_plane(self, member: str) -> None:
        with self._progress.step(f"{member}: control plane"):
            await self._control_plane(member)
            crds = self._parts.binaries.karpenter_crds
            await self._kubectl(member).apply_crds(crds, deadline=CRD_SECONDS)

    async def _member_parts(self, member: str) -> None:
        kubectl = self._kubectl(member)
        with self._progress.step(f"{member}: CRDs, GPU node pools, Karpenter"):
            await together(
                kubectl.apply_crds(self._parts.crds, deadline=CRD_SECONDS),
                kubectl.apply(pools.manifests(member, self._parts.catalogue)),
                self._start_and_wait(self._karpenter(member)),
            )

    async def _accounts(self, cluster: str) -> None:
        """Install the programs' charts without pods, and let the programs be their accounts."""
        with self._progress.step(f"{cluster}: charts"):
            await together(*map(self._account, releases(self._fleet, cluster)))

    async def _account(self, release: Release) -> None:
        await Helm(self._fleet, release.cluster, self._parts.binaries).install(release)
        account = accounts.account_of(release, self._credentials)
        if not accounts.lives(account, accounts.LEFT):
            kubectl = self._kubectl(release.cluster)
            await accounts.ask_token(kubectl, account, hours=accounts.HOURS)

    async def _agent(self, member: str, hub_serves: asyncio.Event) -> None:
        await hub_serves.wait()
        with self._progress.step(f"{member}: join"):
            await self._join(member)
        await self._run(processes.agent(self._fleet, member, self._credentials))

    async def _join(self, member: str) -> None:
        """Take a token of the ServiceAccount that the hub makes for the member."""
        hub, namespace = self._kubectl(HUB), names.member_namespace(member)
        agent = Account(AGENT, namespace, self._credentials.agent_token(member))
        if not accounts.lives(agent, _TOKEN_LEFT):
            account = f"serviceaccount/{AGENT}"
            await hub.wait("create", f"namespace/{namespace}", deadline=JOIN_SECONDS)
            await hub.wait("create", account, namespace=namespace, deadline=JOIN_SECONDS)
            await accounts.ask_token(hub, agent, hours=HOURS)

    async def _control_plane(self, cluster: str) -> None:
        await ControlPlane(self._fleet, cluster, self._parts.binaries).start()
        if not await until(partial(api_ready, self._fleet, cluster), deadline=API_SERVER_SECONDS):
            logs = self._fleet.cluster_home(cluster) / "logs"
            within = f"is not ready within {API_SERVER_SECONDS:.0f} s"
            raise DeadlineError(f"{cluster}'s API server {within}; see {logs}")

    async def _run(self, daemon: Daemon) -> None:
        with self._progress.step(daemon.name):
            await self._start_and_wait(daemon)

    async def _start_and_wait(self, daemon: Daemon) -> None:
        await self._daemons.start(daemon)
        await self._daemons.wait_ready(daemon, deadline=READY_SECONDS)

    def _karpenter(self, member: str) -> Daemon:
        types = self._instance_types(member)
        return processes.karpenter(self._fleet, member, self._parts.binaries, types)

    def _instance_types(self, member: str) -> Path:
        return self._fleet.config / f"{member}-instance-types.json"

    def _kubectl(self, cluster: str) -> Kubectl:
        return Kubectl.of(self._fleet, cluster, self._parts.binaries)


def _member(name: str) -> Manifest:
    return member_cluster(name, {names.REGION: REGIONS[name]}, _HEARTBEAT_SECONDS).manifest()


async def together(*steps: Coroutine[object, object, None]) -> None:
    """Run steps at the same time; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
