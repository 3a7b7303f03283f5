"""Programs that may do little: they do that, and say where the user looks what they may not."""

from typing import Any

from fleet.api.conditions import find
from fleet.api.core import Secret, ServiceAccount
from fleet.api.objects import Key, Metadata
from fleet.api.placement import ResourcePlacement
from fleet.api.work import Work, Workload, WorkSpec
from fleet.kube.client import ApiClient
from fleet.testing.waiting import until
from tests.integration.hub.conftest import HubProcess
from tests.integration.hub.fleet import Fleet
from tests.integration.member_agent.conftest import NAMESPACE, AgentProcess
from tests.integration.member_agent.test_work import Placed

TEAM = "narrowed"


async def test_a_hub_places_what_it_may_read_and_names_what_it_may_not(
    client: ApiClient, hub: HubProcess
) -> None:
    fleet = Fleet(client, TEAM, TEAM)
    await fleet.namespace_exists()
    await fleet.join()
    await fleet.config_map("a", k="v")
    await fleet.place(clusters=[TEAM])
    await until(lambda: fleet.work(TEAM))
    await client.create(_secret(TEAM))
    selector = {"group": "", "version": "v1", "kind": "Secret", "name": "s"}
    metadata, spec = {"name": "secret", "namespace": TEAM}, {"resourceSelectors": [selector]}
    await client.create(ResourcePlacement.model_validate({"metadata": metadata, "spec": spec}))

    async def told() -> bool:
        live = await client.get(ResourcePlacement, Key(TEAM, "secret"))
        condition = find(live.status.conditions, "ResourcePlacementScheduled") if live else None
        said = condition.message if condition else ""
        return 'cannot list resource "secrets"' in said and "rbac.placeable" in said

    await until(told)
    assert hub.said("a right is missing") == hub.said("reconcile failed") == 0


async def test_an_agent_applies_what_it_may_write_and_reports_what_it_may_not(
    client: ApiClient, agent: AgentProcess
) -> None:
    await agent.start()
    placed = Placed(client, TEAM)
    await placed.write(a={"k": "v"})
    await until(lambda: placed.said("Available"))
    account = ServiceAccount(metadata=Metadata(name="s", namespace="default"))
    spec = WorkSpec(workload=Workload(manifests=(account.manifest(),)))
    metadata = Metadata(name="account", namespace=NAMESPACE)
    await client.apply(Work(metadata=metadata, spec=spec), force=True)

    async def told() -> bool:
        work = await client.get(Work, Key(NAMESPACE, "account"))
        parts: Any = work.status.manifest_conditions if work else ()
        applied = [find(part.conditions, "Applied") for part in parts]
        return any(
            one and 'cannot get resource "serviceaccounts"' in one.message for one in applied
        )

    await until(told)
    assert agent.said("a right is missing") == 0


def _secret(namespace: str) -> Secret:
    return Secret(metadata=Metadata(name="s", namespace=namespace))
