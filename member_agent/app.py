"""The composition root of the member agent: what there is, and who gets what."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from fleet.api.names import member_namespace
from fleet.api.objects import Key
from fleet.catalog.catalogue import Catalogue, load
from fleet.kube.aside import Aside, Held
from fleet.kube.client import ApiClient
from fleet.kube.config import Connection, from_environment, from_files
from fleet.kube.controller import Controller
from fleet.kube.events import Events
from fleet.kube.lease import Lease, shared
from fleet.kube.program import Program, RunSettings
from fleet.kube.program import run as run_program
from fleet.kube.removals import Removals
from fleet.kube.rivals import KAITO, KUBEFLEET_AGENT
from fleet.runtime.gauges import product_version
from member_agent.controllers.inference_set.handlers import InferenceSets
from member_agent.controllers.inventory.handlers import InventoryReports
from member_agent.controllers.inventory.plan.observed import Endpoint
from member_agent.controllers.kaito_pods.handlers import KaitoPods
from member_agent.controllers.work.handlers import Works
from member_agent.controllers.work.observe.watches import Watches
from member_agent.controllers.workspace.handlers import Workspaces
from member_agent.controllers.workspace.plan.actions import Rules
from member_agent.gateway import Address, GatewayProbe, Trusted
from member_agent.gauges import Gauges
from member_agent.kinds import Kinds
from member_agent.settings import Settings
from member_agent.standing import Standing
from member_agent.token_secret import TokenSecret
from member_agent.tokens import Renewal
from member_agent.twin import Twin
from member_agent.twin_report import TwinReport

NAME = "modelfleet-member-agent"


@dataclass(frozen=True, slots=True)
class Agent:
    """What controllers share."""

    settings: Settings
    hub: ApiClient
    member: ApiClient
    kinds: Kinds
    catalogue: Catalogue
    probe: GatewayProbe
    renewal: Renewal
    kaito: Aside
    kubefleet: Aside
    twin: Twin
    events: Events

    @property
    def place(self) -> Key:
        """Of the member on the hub."""
        return Key(member_namespace(self.settings.cluster), self.settings.cluster)

    @property
    def others(self) -> tuple[Aside, ...]:
        """Those whose objects we leave alone while they are there."""
        return (self.kubefleet,) if self.settings.beside else (self.kaito, self.kubefleet)


def compose(settings: Settings, hub: ApiClient, member: ApiClient, lease: Lease | None) -> Agent:
    key = Key.parse(settings.hub_token_secret)
    renewal = Renewal(
        client=hub,
        path=Path(settings.hub_token_file),
        clock=hub.now,
        secret=TokenSecret(member, key) if key.name else None,
        cluster=settings.cluster,
    )
    if lease:
        hub, member = hub.fenced(lease.prove), member.fenced(lease.prove)
    exposing = Key.parse(settings.gateway_service) if settings.gateway_service else None
    address = Address(settings.gateway_url, member, exposing)
    probe = GatewayProbe(address, Trusted(settings.gateway_ca_file))
    kinds = Kinds(settings.cluster)
    place = Key(member_namespace(settings.cluster), settings.cluster)
    return Agent(
        settings=settings,
        hub=hub,
        member=member,
        kinds=kinds,
        catalogue=load(),
        probe=probe,
        renewal=renewal,
        kaito=Aside(KAITO, member.relist, member.now),
        kubefleet=Aside(KUBEFLEET_AGENT, member.relist, member.now),
        twin=Twin(kinds.membership, kinds.namespaces, place, hub.now),
        events=Events(writer(member, "events"), NAME, member.now),
    )


def writer(client: ApiClient, name: str) -> ApiClient:
    """Write as a field manager of its own: each controller gives up only what was its own."""
    return client.as_manager(f"{NAME}-{name}")


def inference(agent: Agent) -> tuple[Controller, ...]:
    """What KAITO would do; nothing where it is left to it, whether it runs just now or not.

    What it made is found by gateways all the same, also once it is gone.
    """
    made = KaitoPods(client=writer(agent.member, "kaito-pods"), reads=agent.kinds.for_kaito_pods())
    kaito_pods = Held(made, *agent.others)
    if agent.settings.beside:
        return (kaito_pods,)
    given = agent.settings
    rules = Rules(
        image=given.engine_image,
        puller_image=given.puller_image,
        launch_seconds=given.launch_seconds,
    )
    workspaces = Workspaces(
        client=writer(agent.member, "workspace"),
        reads=agent.kinds.for_workspaces(),
        clock=agent.member.now,
        catalogue=agent.catalogue,
        rules=rules,
        tell=agent.events.tell,
    )
    inference_sets = InferenceSets(
        client=writer(agent.member, "inference-set"),
        reads=agent.kinds.for_inference_sets(),
        clock=agent.member.now,
    )
    ours = Held(workspaces, *agent.others), Held(inference_sets, *agent.others)
    return (*ours, kaito_pods)


def _endpoint(url: str, connection: Connection) -> Endpoint:
    """Tell others what we trust ourselves; an authority without an address is of no use."""
    known = bool(url and connection.ca_file)
    return Endpoint(url, Path(connection.ca_file).read_text(encoding="utf-8") if known else "")


def on_member(agent: Agent, lease: Lease | None) -> Program:
    """What goes on without a hub, and who of several agents works at all."""
    return Program(
        client=agent.member,
        caches=(*agent.kinds.on_member, *(other.leases for other in agent.others)),
        watched_by_kopf=agent.kinds.written_by_people,
        controllers=inference(agent),
        background=(agent.events.run,),
        standing_by=tuple(other.run for other in agent.others),
        waiting=lambda: ", ".join(filter(None, (other.waiting for other in agent.others))),
        lease=lease,
    )


def on_hub(agent: Agent) -> Program:
    """What the hub asks of the member, and is told of it."""
    watches = Watches(agent.member)
    works = Works(
        hub=writer(agent.hub, "work"),
        member=writer(agent.member, "work"),
        reads=agent.kinds.for_works(),
        watches=watches,
        clock=agent.hub.now,
        removals=Removals(agent.hub),
    )
    inventory = InventoryReports(
        hub=writer(agent.hub, "inventory"),
        member=agent.member,
        reads=agent.kinds.for_inventory(),
        key=agent.place,
        clock=agent.hub.now,
        timer=monotonic,
        chance=random.random,
        catalogue=agent.catalogue,
        gateway=agent.probe,
        caught_up=works.caught_up,
        aside=agent.kaito,
        release=product_version(),
        endpoint=_endpoint(agent.settings.cluster_entrypoint, agent.member.connection),
    )
    events = Events(writer(agent.hub, "events"), NAME, agent.hub.now)
    twin, membership = agent.twin, agent.kinds.membership
    standing = Standing((*agent.others, twin), membership, agent.place, events.tell)
    twin_report = TwinReport(
        hub=writer(agent.hub, "twin"),
        membership=membership,
        key=agent.place,
        twin=twin,
        clock=agent.hub.now,
    )
    return Program(
        client=agent.hub,
        caches=agent.kinds.on_hub,
        # A member that KAITO has is reported; what KubeFleet's agent reports is its own.
        controllers=(Held(works, *agent.others, twin), Held(inventory, agent.kubefleet, twin)),
        background=(agent.probe.run, watches.run, events.run, standing.run, twin_report.run),
        standing_by=(twin.run,),
        waiting=lambda: twin.waiting,
    )


def identity(agent: Agent) -> Program:
    """Who the agent is on the hub: its token is kept alive whatever else waits, and whoever leads.

    Nothing fences it: what replicas write into one Secret goes by a test of what was there.
    """
    return Program(client=agent.hub, standing_by=(agent.renewal.run,))


async def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run until a signal ends it."""
    connection = await asyncio.to_thread(from_environment, environ)
    token, ca = settings.hub_token_file, settings.hub_ca_file
    hub = ApiClient(from_files(settings.hub_url, ca_file=ca, token_file=token), NAME)
    member = ApiClient(connection, NAME)
    # On the member: its work goes on while the hub is away.
    lease = shared(member, settings.namespace, NAME, settings.lease_seconds)
    agent = compose(settings, hub, member, lease)
    running = RunSettings(
        workers=settings.workers,
        resync_seconds=settings.resync_seconds,
        health_listen=settings.health_listen,
    )
    await agent.renewal.settle()
    with Gauges(agent.kinds, agent.renewal.path).asked():
        await run_program(on_member(agent, lease), running, on_hub(agent), identity(agent))
