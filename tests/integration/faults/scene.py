"""A hub and a member, each with an API server, and between them and ours what a test disturbs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fleet.api.binding import ResourceBinding
from fleet.api.cluster import MemberCluster
from fleet.api.conditions import find
from fleet.api.core import ConfigMap, StatefulSet
from fleet.api.deployment import ModelDeployment
from fleet.api.names import member_namespace
from fleet.api.objects import Key
from fleet.api.work import Work
from fleet.kube.client import ApiClient
from fleet.kube.errors import KubeError
from fleet.kube.resources import ApiResource
from fleet.testing.apiserver import ADMIN, ApiServer
from fleet.testing.interceptor import Call, Interceptor, Judge, Passing, Refusal, interceptor
from fleet.testing.waiting import DEADLINE_SECONDS, until
from tests.integration.faults.fuse import Fuse
from tests.integration.faults.outcome import (
    ON_HUB,
    ON_MEMBER,
    Outcome,
    differences,
    outcome,
)
from tests.integration.faults.programs import Forked, Nursery
from tests.integration.faults.world import pool, turning

MEMBER = "us"
EVENTS = ApiResource("v1", "Event", "events", namespaced=True)
FINALIZERS = "/metadata/finalizers"
NOBODY = "http://127.0.0.1:9/v1"
"""A gateway that does not answer."""
BEATS = ("memberclusters", "internalmemberclusters", "leases")
"""Of which something is written again and again, whatever else goes on."""
QUIET_SECONDS = 1.5
"""Without a write: longer than any program gathers changes before it writes."""


class Recording:
    """Lets all through, and keeps what was written."""

    def __init__(self) -> None:
        self.writes: list[Call] = []
        self.last = asyncio.get_running_loop().time()

    async def before(self, _call: Call) -> Refusal | None:
        return None

    async def after(self, call: Call) -> None:
        if call.writes:
            self.writes.append(call)
            if not call.resource.startswith(BEATS):
                self.last = asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Lines:
    """What stands between a program and a server."""

    of_hub: Interceptor
    of_agent: Interceptor
    """To the hub."""
    on_member: Interceptor
    """From the agent to the member."""


class Scene:
    def __init__(
        self, clients: tuple[ApiClient, ApiClient], lines: Lines, programs: tuple[Forked, Forked]
    ) -> None:
        self.hub_client, self.member_client = clients
        self.lines = lines
        self.hub, self.agent = programs

    async def start_hub(self) -> None:
        await self.hub.start("controller starts", times=18)

    async def start_agent(self) -> None:
        await self.agent.start("controller starts", times=5)

    async def join(self, name: str = MEMBER) -> None:
        """Make a member; its agent may have its namespace at once."""
        namespace = member_namespace(name)
        identity = {"kind": "ServiceAccount", "name": "member-agent", "namespace": namespace}
        await self.hub_client.dynamic.apply(
            {
                "apiVersion": "cluster.kubernetes-fleet.io/v1beta1",
                "kind": "MemberCluster",
                "metadata": {"name": name},
                "spec": {"identity": identity, "heartbeatPeriodSeconds": 1},
            }
        )

    async def leave(self, name: str) -> None:
        """Take a member out whose agent is none: nobody says for it that it has left."""
        live = await self.hub_client.get(MemberCluster, Key("", name))
        assert live
        await self.hub_client.delete(live)
        with suppress(KubeError):
            await self.hub_client.json_patch(live, [{"op": "remove", "path": FINALIZERS}])

    async def place(self, run: str, *, failover_seconds: int) -> None:
        """Place a ConfigMap where one cluster may take it, and another one where it is silent."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": run}}
        for client in (self.hub_client, self.member_client):
            await client.dynamic.apply(space)
        metadata = {"name": run, "namespace": run}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
        await self.hub_client.dynamic.create(config)
        selector = {"group": "", "version": "v1", "kind": "ConfigMap", "name": run}
        scoring = {"failover": {"tolerationSeconds": failover_seconds}}
        policy = {"placementType": "PickN", "numberOfClusters": 1, "scoring": scoring}
        await self.hub_client.dynamic.create(
            {
                "apiVersion": "placement.kubernetes-fleet.io/v1beta1",
                "kind": "ResourcePlacement",
                "metadata": metadata,
                "spec": {"resourceSelectors": [selector], "policy": policy},
            }
        )

    async def bindings(self, run: str) -> dict[str, str]:
        """Give the clusters that a run is bound to, each with the state of its binding."""
        found = await self.hub_client.list(ResourceBinding, run)
        return {each.spec.target_cluster: str(each.spec.state) for each in found.objects()}

    async def told(self, run: str, words: str) -> bool:
        """Say whether an event about a run has these words."""
        events = await self.hub_client.dynamic.list(EVENTS, run)
        return any(words in str(event.get("message")) for event in events)

    async def has(self, run: str) -> bool:
        """Say whether the member has the ConfigMap of a placement."""
        return await self.member_client.get(ConfigMap, Key(run, run)) is not None

    async def deploy(self, run: str, **spec: Any) -> None:
        """Ask for a model, by the name of a run that no other name contains."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": run}}
        await self.hub_client.dynamic.apply(space)
        await self.hub_client.dynamic.create(
            {
                "apiVersion": "modelfleet.dev/v1alpha1",
                "kind": "ModelDeployment",
                "metadata": {"name": run, "namespace": run},
                "spec": {"model": "phi-4-mini-instruct", "endpoint": {"name": run}, **spec},
            }
        )

    async def configure(self, run: str, length: int) -> None:
        """Write the ConfigMap that a model of this run is told its engine's arguments in."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": run}}
        await self.hub_client.dynamic.apply(space)
        data = {"inference_config.yaml": f'{{"vllm": {{"max-model-len": {length}}}}}'}
        metadata = {"name": run, "namespace": run}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        await self.hub_client.dynamic.apply(config)

    async def answers(self, run: str, length: int) -> bool:
        """Say whether the hub knows that the member has one engine, and that in this form."""
        engines = (await self.member_client.list(StatefulSet, run)).objects()
        works = (await self.hub_client.list(Work, member_namespace(MEMBER))).objects()
        arguments = [
            engine.spec.template["spec"]["containers"][0]["args"][-1] for engine in engines
        ]
        mine = [work for work in works if run in work.name]
        said = [find(work.status.conditions, "Available") for work in mine]
        current = [c and c.true and c.observed_generation for c in said]
        known = current == [work.metadata.generation for work in mine]
        return arguments == [f"--max-model-len={length}"] and bool(mine) and known

    async def quiet(self, heard: Recording) -> None:
        """Wait until nobody writes any more."""
        loop = asyncio.get_running_loop()
        await until(lambda: loop.time() - heard.last > QUIET_SECONDS)

    async def ready(self, run: str) -> bool:
        found = await self.hub_client.get(ModelDeployment, Key(run, run))
        said = find(found.status.conditions, "Ready") if found else None
        return said is not None and said.true

    async def outcome(self, run: str) -> Outcome:
        on_hub = outcome(self.hub_client, ON_HUB, run, side="hub")
        on_member = outcome(self.member_client, ON_MEMBER, run, side="member")
        both = await asyncio.gather(on_hub, on_member)
        return {**both[0], **both[1]}

    async def undisturbed(self, run: str, heard: Recording) -> Outcome:
        """Let a run go to its end, and give what it has come to."""
        self.listen(heard)
        await self.deploy(run)
        await until(lambda: self.ready(run))
        await self.quiet(heard)
        return await self.outcome(run)

    async def burn_down(self, killed: Forked, fuse: Fuse) -> None:
        """Kill a program at each of its points in turn, and start it again."""
        while fuse.left:
            try:
                await asyncio.wait_for(fuse.burnt.wait(), DEADLINE_SECONDS)
            except TimeoutError:
                left = ", ".join(map(str, fuse.left))
                raise AssertionError(f"not reached: {left}") from None
            await killed.kill()
            fuse.mend()
            await killed.launch()
        self.listen_no_more()
        await until(lambda: killed.alive)

    async def ends_as(
        self, run: str, wanted: Outcome, *, seconds: float = DEADLINE_SECONDS
    ) -> None:
        """Wait until a run has come to what another did; else say where it differs."""

        async def same() -> bool:
            return not differences(await self.outcome(run), wanted)

        try:
            await until(same, seconds=seconds)
        except TimeoutError:
            wrong = differences(await self.outcome(run), wanted)
            raise AssertionError("\n".join(wrong[:20])) from None

    def listen(self, judge: Judge) -> None:
        for line in self.every_line:
            line.judge = judge

    @property
    def programs(self) -> tuple[Forked, ...]:
        return self.hub, self.agent

    @property
    def to_hub(self) -> tuple[Interceptor, ...]:
        return self.lines.of_hub, self.lines.of_agent

    @property
    def every_line(self) -> tuple[Interceptor, ...]:
        return *self.to_hub, self.lines.on_member

    def listen_no_more(self) -> None:
        self.listen(Passing())


def kubeconfig(url: str, home: Path) -> str:
    """Write a kubeconfig for a server on plain HTTP, as admin."""
    path = home / f"kubeconfig-{url.rpartition(':')[2]}.yaml"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": url}}],
        "users": [{"name": ADMIN, "user": {"token": ADMIN}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": ADMIN}}],
        "current-context": "it",
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scene is set; `more` is for both programs to read."""

    hub: ApiServer
    member: ApiServer
    nursery: Nursery
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)


def _hub(stage: Stage, line: Interceptor) -> Forked:
    environ = {"KUBECONFIG": kubeconfig(line.url, stage.home), **stage.more}
    return Forked(stage.nursery, "hub", stage.home / "hub.log", environ)


def _agent(stage: Stage, lines: Lines) -> Forked:
    home = stage.home
    token = home / "token"
    token.write_text(ADMIN, encoding="utf-8")
    environ = {
        "KUBECONFIG": kubeconfig(lines.on_member.url, home),
        "MEMBER_AGENT_CLUSTER": MEMBER,
        "MEMBER_AGENT_HUB_URL": lines.of_agent.url,
        "MEMBER_AGENT_HUB_TOKEN_FILE": str(token),
        "MEMBER_AGENT_GATEWAY_URL": NOBODY,
        **stage.more,
    }
    return Forked(stage.nursery, "member_agent", home / "agent.log", environ)


@asynccontextmanager
async def scene(stage: Stage) -> AsyncIterator[Scene]:
    """Have a hub and an agent run, with a member that has joined."""
    async with AsyncExitStack() as stack:
        near, far = stage.hub.connection(), stage.member.connection()
        lines = Lines(*[await stack.enter_async_context(interceptor(c)) for c in (near, near, far)])
        clients = ApiClient(near, "test"), ApiClient(far, "test")
        for client in clients:
            stack.push_async_callback(client.close)
        programs = _hub(stage, lines.of_hub), _agent(stage, lines)
        made = Scene(clients, lines, programs)
        for program in programs:
            stack.push_async_callback(program.kill)
        await made.member_client.dynamic.apply(pool())
        await stack.enter_async_context(turning(made.member_client))
        await made.join()
        await asyncio.gather(made.start_hub(), made.start_agent())
        yield made
