"""The composition root of the hub: what there is, and who gets what."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from fleet.api.cluster_profile import ClusterProfile
from fleet.api.core import Secret
from fleet.api.happenings import Happening
from fleet.api.objects import Resource
from fleet.api.scope import NAMESPACED, Scope
from fleet.catalog.catalogue import Catalogue, load
from fleet.kube.aside import Aside, Held
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from fleet.kube.config import from_environment
from fleet.kube.controller import Controller
from fleet.kube.events import Events
from fleet.kube.lease import Lease, shared
from fleet.kube.program import Program, RunSettings
from fleet.kube.program import run as run_program
from fleet.kube.removals import Removals
from fleet.kube.rivals import KUBEFLEET_HUB
from fleet.runtime.gauges import CREDENTIAL_WAITS
from hub.active_runs import ActiveRuns
from hub.admission.parts import webhook
from hub.certificates import FreshKeys
from hub.controllers.cluster_profile.handlers import ClusterProfiles
from hub.controllers.cluster_profile.observe import Reads as ProfileReads
from hub.controllers.endpoints.handlers import Endpoints
from hub.controllers.endpoints.observe import Reads as EndpointReads
from hub.controllers.eviction.handlers import Evictions
from hub.controllers.gateway_credentials.handlers import GatewayCredentials, Late
from hub.controllers.gateway_credentials.observe import Reads as CredentialReads
from hub.controllers.gateway_credentials.plan.authorities import Rules
from hub.controllers.membership.handlers import Membership
from hub.controllers.model_deployment.handlers import ModelDeployments
from hub.controllers.model_deployment.observe import Reads as DeploymentReads
from hub.controllers.placement.handlers import PlacementController
from hub.controllers.placement.observe import Observer
from hub.controllers.placement.observe.contents import Bodies
from hub.controllers.rollout.handlers import Rollout
from hub.controllers.scheduling.handlers import Scheduling
from hub.controllers.scheduling.observe import Capacity, Timeouts
from hub.controllers.scheduling.observe import Reads as SchedulingReads
from hub.controllers.services.handlers import Services
from hub.controllers.services.observe import Claims
from hub.controllers.services.observe import Reads as ServiceReads
from hub.controllers.updaterun.handlers import UpdateRuns
from hub.controllers.updaterun.observe import Observer as RunObserver
from hub.controllers.work_generation.handlers import WorkGeneration
from hub.controllers.work_generation.observe import Reads as WorkReads
from hub.controllers.workload_status.handlers import WorkloadStatusController
from hub.foretold import Foretold
from hub.gateway_hosts import GatewayHosts
from hub.gateway_work import service_names
from hub.gauges import Gauges
from hub.heartbeats import Heartbeats
from hub.kinds import Kinds
from hub.needed_fields import lacks
from hub.needs import needed
from hub.pace import StatusPace
from hub.settings import Settings
from hub.silence_events import tell_of_silence
from hub.watches import Watches

NAME = "modelfleet-hub"


@dataclass(frozen=True, slots=True)
class Hub:
    """What controllers share."""

    settings: Settings
    client: ApiClient
    kinds: Kinds
    watched: frozenset[Cache[Any]]
    """Those of the kinds that the controllers read which run here."""
    catalogue: Catalogue
    heartbeats: Heartbeats
    watches: Watches
    active_runs: Mapping[Scope, ActiveRuns]
    foretold: Mapping[Scope, Foretold]
    placements: Mapping[Scope, Observer]
    """What is read of placements, and of what they select."""
    others: tuple[Aside, ...]
    """Those whose objects we leave alone while they are there."""
    events: Events
    hosts: GatewayHosts
    late: Late = field(default_factory=Late)

    def writer(self, name: str) -> ApiClient:
        """Write as a field manager of its own: each controller gives up only what was its own."""
        return self.client.as_manager(f"{NAME}-{name}")

    def tell_alone(self, about: Resource, happened: Iterable[Happening]) -> None:
        """Tell users, unless the object is somebody else's for now."""
        if not any(other.found for other in self.others):
            self.events.tell(about, happened)


def compose(settings: Settings, client: ApiClient) -> Hub:
    namespace = settings.namespace
    own = service_names(namespace) if namespace else frozenset[str]()
    reserved = own | frozenset(settings.global_names)
    kinds = Kinds(
        profiles=Cache(ClusterProfile, namespace=settings.profile_namespace, optional=True),
        secrets=Cache(Secret, namespace=namespace) if namespace else None,
    )
    heartbeats = Heartbeats(monotonic, client.now)
    heartbeats.follow(kinds.clusters)
    webhook_reads = [kinds.secrets] if kinds.secrets and settings.webhook_listen else []
    watched = needed(kinds, settings.controllers).union(webhook_reads)
    watches = Watches(client, known=[c for c in kinds.written_by_people if c in watched])
    active_runs = {scope: ActiveRuns(caches.runs) for scope, caches in kinds.scopes.items()}
    kubefleet = Aside(KUBEFLEET_HUB, client.relist, client.now)
    hub = Hub(
        settings=settings,
        client=client,
        kinds=kinds,
        watched=watched,
        catalogue=load(),
        heartbeats=heartbeats,
        watches=watches,
        active_runs=active_runs,
        foretold={scope: Foretold() for scope in kinds.scopes},
        placements=_observers(client, kinds, watches, active_runs),
        others=() if settings.beside else (kubefleet,),
        events=Events(client.as_manager(f"{NAME}-events"), NAME, client.now),
        hosts=GatewayHosts(kinds.clusters, kinds.works, reserved),
    )
    tell_of_silence(heartbeats, kinds.clusters, hub.tell_alone)
    return hub


def _observers(
    client: ApiClient, kinds: Kinds, watches: Watches, active_runs: Mapping[Scope, ActiveRuns]
) -> Mapping[Scope, Observer]:
    """One for each scope: it remembers what each placement selects."""
    dynamic, bodies, catalogue = client.dynamic, Bodies(client.dynamic, watches), load()
    return {
        scope: Observer(
            scope=scope,
            reads=caches,
            dynamic=dynamic,
            watches=watches,
            bodies=bodies,
            catalogue=catalogue,
            runs=active_runs[scope],
            removals=Removals(client),
            lacks=lacks(client, scope),
        )
        for scope, caches in kinds.scopes.items()
    }


def membership(hub: Hub) -> Iterator[Controller]:
    yield Membership(
        client=hub.writer("membership"),
        caches=hub.kinds.members,
        hosts=hub.hosts,
        clock=hub.client.now,
        force_after=timedelta(seconds=hub.settings.force_leave_seconds),
        tell=hub.events.tell,
    )


def cluster_profile(hub: Hub) -> Iterator[Controller]:
    yield ClusterProfiles(
        client=hub.writer("cluster-profile"),
        reads=ProfileReads(hub.kinds.clusters, hub.kinds.profiles),
        silence=hub.heartbeats,
        clock=hub.client.now,
    )


def placement(hub: Hub) -> Iterator[Controller]:
    for observer in hub.placements.values():
        yield PlacementController(
            client=hub.writer("placement"),
            observer=observer,
            clock=hub.client.now,
            pace=StatusPace(monotonic=monotonic),
            tell=hub.events.tell,
        )


def scheduling(hub: Hub) -> Iterator[Controller]:
    capacity = Capacity(hub.catalogue, hub.heartbeats)
    scopes, clusters = hub.kinds.scopes, hub.kinds.clusters
    capacity.follow(clusters, *(caches.bindings for caches in scopes.values()))
    timeouts = Timeouts(
        heartbeat_seconds=hub.settings.heartbeat_timeout_seconds,
        health_seconds=hub.settings.health_timeout_seconds,
    )
    for scope, caches in scopes.items():
        yield Scheduling(
            scope=scope,
            client=hub.writer("scheduling"),
            reads=SchedulingReads.of(caches, clusters),
            capacity=capacity,
            clock=hub.client.now,
            timeouts=timeouts,
            tell=hub.events.tell,
        )


def rollout(hub: Hub) -> Iterator[Controller]:
    for scope, caches in hub.kinds.scopes.items():
        yield Rollout(
            scope=scope,
            client=hub.writer("rollout"),
            caches=caches,
            clusters=hub.kinds.clusters,
            silence=hub.heartbeats,
            clock=hub.client.now,
        )


def updaterun(hub: Hub) -> Iterator[Controller]:
    for scope, caches in hub.kinds.scopes.items():
        yield UpdateRuns(
            client=hub.writer("updaterun"),
            observer=RunObserver(
                client=hub.client,
                scope=scope,
                reads=caches,
                clusters=hub.kinds.clusters,
                contents=hub.placements[scope],
                foretold=hub.foretold[scope],
            ),
            active=hub.active_runs[scope],
            clock=hub.client.now,
            pace=StatusPace(monotonic=monotonic),
            tell=hub.events.tell,
        )


def eviction(hub: Hub) -> Iterator[Controller]:
    yield Evictions(
        client=hub.writer("eviction"),
        evictions=hub.kinds.evictions,
        clock=hub.client.now,
        tell=hub.events.tell,
    )


def work_generation(hub: Hub) -> Iterator[Controller]:
    for scope, caches in hub.kinds.scopes.items():
        yield WorkGeneration(
            scope=scope,
            client=hub.writer("work-generation"),
            caches=WorkReads(caches, hub.kinds.works, hub.kinds.clusters),
            silence=hub.heartbeats,
            clock=hub.client.now,
            pace=StatusPace(monotonic=monotonic),
            removals=Removals(hub.client),
            foretold=hub.foretold[scope],
        )


def workload_status(hub: Hub) -> Iterator[Controller]:
    for workloads in hub.kinds.workloads:
        yield WorkloadStatusController(
            client=hub.writer("workload-status"),
            workloads=workloads,
            fleet=hub.kinds.shares,
            silence=hub.heartbeats,
            clock=hub.client.now,
        )


def endpoints(hub: Hub) -> Iterator[Controller]:
    for workloads in hub.kinds.workloads:
        look = EndpointReads(
            workloads=workloads,
            others=hub.kinds.workloads,
            fleet=hub.kinds.shares,
            services=hub.kinds.services,
            endpoints=hub.kinds.endpoints,
        )
        yield Endpoints(
            client=hub.writer("endpoints"), look=look, silence=hub.heartbeats, clock=hub.client.now
        )


def services(hub: Hub) -> Iterator[Controller]:
    reads = ServiceReads(hub.kinds.services, hub.kinds.endpoints)
    claims = Claims(hub.kinds.services)
    yield Services(
        client=hub.writer("services"),
        reads=reads,
        claims=claims,
        clock=hub.client.now,
        tell=hub.events.tell,
    )


def model_deployment(hub: Hub) -> Iterator[Controller]:
    both = (hub.kinds.deployments, hub.kinds.toolchain_deployments)
    for deployments, namesakes in (both, both[::-1]):
        look = DeploymentReads(
            deployments=deployments,
            namesakes=namesakes,
            inference_sets=hub.kinds.inference_sets,
            scope=hub.kinds.scopes[NAMESPACED],
        )
        yield ModelDeployments(
            client=hub.writer("model-deployment"),
            look=look,
            clock=hub.client.now,
            tell=hub.events.tell,
        )


def gateway_credentials(hub: Hub) -> Iterator[Controller]:
    """Needs a namespace for what it keeps; without one, files are the gateways' only source."""
    kinds, settings = hub.kinds, hub.settings
    if kinds.secrets is None:
        return
    rules = Rules(
        authority=timedelta(seconds=settings.gateway_authority_seconds),
        certificate=timedelta(seconds=settings.gateway_certificate_seconds),
        credential=timedelta(seconds=settings.gateway_credential_seconds),
        overlap=timedelta(seconds=settings.gateway_overlap_seconds),
    )
    yield GatewayCredentials(
        client=hub.writer("gateway-credentials"),
        caches=CredentialReads(kinds.secrets, kinds.clusters, kinds.works),
        hosts=hub.hosts,
        clock=hub.client.now,
        maker=FreshKeys(),
        rules=rules,
        more_names=settings.global_names,
        tell=hub.tell_alone,
        late=hub.late,
    )


MAKERS: Mapping[str, Callable[[Hub], Iterator[Controller]]] = {
    "membership": membership,
    "cluster-profile": cluster_profile,
    "placement": placement,
    "scheduling": scheduling,
    "rollout": rollout,
    "updaterun": updaterun,
    "eviction": eviction,
    "work-generation": work_generation,
    "workload-status": workload_status,
    "endpoints": endpoints,
    "services": services,
    "model-deployment": model_deployment,
    "gateway-credentials": gateway_credentials,
}
"""By the names of settings.CONTROLLERS."""


def program(hub: Hub, lease: Lease | None) -> Program:
    names, others, kinds = hub.settings.controllers, hub.others, hub.kinds
    asked = webhook(hub.settings, hub.client, kinds.secrets)
    made = (controller for name in names for controller in MAKERS[name](hub))
    return Program(
        client=hub.client,
        caches=(
            *(cache for cache in kinds.written_by_programs if cache in hub.watched),
            *(other.leases for other in others),
        ),
        watched_by_kopf=[cache for cache in kinds.written_by_people if cache in hub.watched],
        controllers=[Held(controller, *others) for controller in made],
        background=(hub.heartbeats.run, hub.watches.run, hub.events.run, *asked.background),
        standing_by=(*(other.run for other in others), *asked.standing_by),
        waiting=lambda: ", ".join(filter(None, (other.waiting for other in others))),
        lease=lease,
    )


async def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run until a signal ends it."""
    connection = await asyncio.to_thread(from_environment, environ)
    client = ApiClient(connection, NAME)
    lease = shared(client, settings.namespace, NAME, settings.lease_seconds)
    hub = compose(settings, client.fenced(lease.prove) if lease else client)
    running = RunSettings(
        workers=settings.workers,
        resync_seconds=settings.resync_seconds,
        health_listen=settings.health_listen,
    )
    gauges = Gauges(hub.kinds, hub.heartbeats, hub.client.now)
    with gauges.asked(), CREDENTIAL_WAITS.asks(hub.late.values):
        await run_program(program(hub, lease), running)
