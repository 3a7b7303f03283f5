"""What a member says of itself for placements to select and sort by."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from typing_extensions import override

from fleet.api import names
from fleet.api.conditions import find
from fleet.api.core import Namespace, Node, Pod
from fleet.api.objects import Key, Metadata, OwnerReference
from fleet.catalog.catalogue import load
from fleet.kube.errors import TransientError
from fleet.testing.client import FakeClient
from member_agent.controllers.inventory.plan.observed import Endpoint
from tests.unit.member_agent.controllers.inventory.reporter import PERIOD, Reporter
from tests.unit.member_agent.hardware import A100, A100X4, node, pod

SMALL = "Standard_D4"
MIG = "nvidia.com/mig-1g.5gb"


def plain(name: str, has: Mapping[str, str], labels: Mapping[str, str] | None = None) -> Node:
    """Be a node of no known type."""
    status = {"capacity": has, "allocatable": has}
    return Node.model_validate(
        {"metadata": {"name": name, "labels": labels or {}}, "status": status}
    )


async def reported(*nodes: Any) -> Reporter:
    reporter = Reporter(*nodes)
    await reporter.report()
    return reporter


def properties(reporter: Reporter) -> dict[str, str]:
    return {name: found.value for name, found in reporter.status().properties.items()}


def condition(reporter: Reporter, kind: str) -> tuple[str, str, str]:
    found = find(reporter.status().conditions, kind)
    assert found
    return found.status, found.reason, found.message


async def test_usage_is_what_nodes_have_less_what_pods_ask_for() -> None:
    asked = [
        {"name": "a", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}},
        {"name": "b", "resources": {"limits": {"cpu": "1", names.GPU: "1"}}},
        {"name": "c"},
    ]
    body = pod("x").manifest()
    body["spec"]["containers"] = asked
    waiting = pod("y", on="").manifest()
    reporter = Reporter(node("n1"), node("n2", gpus=0), pod("z", phase="Succeeded"))
    for each in (body, waiting):
        reporter.member.put(Pod.model_validate(each))
    await reporter.report()
    usage = reporter.status().resource_usage
    gib = 1024**3
    assert usage.capacity == usage.allocatable
    assert usage.allocatable == {"cpu": "48", "memory": str(440 * gib), names.GPU: "1"}
    assert usage.available == {"cpu": "46500m", "memory": str(439 * gib), names.GPU: "0"}


async def test_every_resource_of_a_device_plugin_is_told_by_its_name() -> None:
    has = {"cpu": "4", "memory": "8Gi", MIG: "7", "pods": "110", "hugepages-2Mi": "0"}
    taker = pod("x").manifest()
    taker["spec"]["containers"] = [{"name": "main", "resources": {"requests": {MIG: "2"}}}]
    usage = (await reported(plain("n1", has), Pod.model_validate(taker))).status().resource_usage
    gib8 = str(8 * 1024**3)
    assert usage.allocatable == {"cpu": "4", "memory": gib8, MIG: "7"}
    assert usage.available == {"cpu": "4", "memory": gib8, MIG: "5"}


async def test_cpu_and_memory_are_told_without_nodes_too_and_nothing_is_below_zero() -> None:
    usage = (await reported()).status().resource_usage
    assert usage.capacity == usage.available == {"cpu": "0", "memory": "0"}
    greedy = [pod(f"p{number}", gpus=9) for number in range(2)]
    usage = (await reported(node("n1", gpus=1), *greedy)).status().resource_usage
    assert usage.available[names.GPU] == "0"


async def test_properties_name_and_count_what_there_is() -> None:
    product = {"nvidia.com/gpu.product": "NVIDIA-A100-80GB-PCIe"}
    former = {"beta.kubernetes.io/instance-type": SMALL}
    reporter = await reported(
        node("a"),
        node("b", A100X4, gpus=4, labels=product),
        plain("c", {"cpu": "4"}, former),
        plain("d", {"cpu": "4"}),
    )
    found = {name: said for name, said in properties(reporter).items() if "cost" not in name}
    assert found == {
        "kubernetes-fleet.io/node-count": "4",
        f"kubernetes.azure.com/vm-sizes/{A100}/count": "1",
        f"kubernetes.azure.com/vm-sizes/{A100X4}/count": "1",
        f"kubernetes.azure.com/vm-sizes/{SMALL}/count": "1",
        "kubernetes.azure.com/vm-sizes/undefined/count": "1",
        "gpus.modelfleet.dev/A100": "5",
        "gpus.modelfleet.dev/NVIDIA-A100-80GB-PCIe": "4",
        "k8s.io/k8s-version": "v1.36.3",
        "modelfleet.dev/agent-version": "0.1.0",
    }


async def test_others_are_told_where_the_cluster_is_only_where_that_is_known() -> None:
    reporter = await reported()
    assert not [name for name in properties(reporter) if "cluster-e" in name]
    endpoint = Endpoint("https://us.example:6443", "PEM")
    reporter.reports = replace(reporter.reports, endpoint=endpoint)
    await reporter.after(PERIOD)
    found = properties(reporter)
    assert found["k8s.io/cluster-entrypoint"] == endpoint.url
    assert found["k8s.io/cluster-certificate-authority-data"] == endpoint.authority


async def test_a_cluster_is_known_by_its_system_namespace() -> None:
    system = Namespace(metadata=Metadata(name="kube-system", uid="uid-1"))
    assert properties(await reported(system))[names.CLUSTER_ID] == "uid-1"


CORE, GIB = "kubernetes.azure.com/per-cpu-core-cost", "kubernetes.azure.com/per-gb-memory-cost"
COSTS = "AKSClusterCostPropertiesCollectionSucceeded"
PRICE = load().price(A100, "centralus") or Decimal("nan")
ONE = {CORE: f"{PRICE / 24:.3f}", GIB: f"{PRICE / 220:.3f}"}


@pytest.mark.parametrize(
    ("nodes", "costs", "said"),
    [
        ((), {CORE: "0.000", GIB: "0.000"}, ("True", "CostsCalculated")),
        ((node("a"),), ONE, ("True", "CostsCalculated")),
        ((node("a"), node("b")), ONE, ("True", "CostsCalculated")),
        ((node("a"), node("c", SMALL, gpus=0)), ONE, ("True", "CostsCalculationDegraded")),
        ((node("c", SMALL, gpus=0),), {}, ("False", "CostsCalculationFailed")),
        ((plain("d", {}),), {}, ("False", "CostsCalculationFailed")),
    ],
)
async def test_a_core_and_a_gib_cost_what_the_nodes_with_a_price_do(
    nodes: tuple[Node, ...], costs: Mapping[str, str], said: tuple[str, str]
) -> None:
    reporter = await reported(*nodes)
    assert {k: v for k, v in properties(reporter).items() if "cost" in k} == costs
    assert condition(reporter, COSTS)[:2] == said


async def test_whose_price_is_not_known_is_named() -> None:
    reporter = await reported(node("a"), node("c", SMALL, gpus=0), plain("d", {}))
    missing = "no price is known in centralus for Standard_D4, undefined"
    assert condition(reporter, COSTS)[2] == f"Left out of the costs: {missing}"


async def test_a_collection_says_how_it_went() -> None:
    reporter = await reported(node())
    assert condition(reporter, "ClusterPropertyProviderStarted")[:2] == ("True", "Started")
    collected = "ClusterPropertyCollectionSucceeded"
    assert condition(reporter, collected)[:2] == ("True", "PropertiesCollected")
    before, written = reporter.status().conditions, reporter.written
    await reporter.after(1)
    assert reporter.written == written
    reporter.reports = replace(reporter.reports, member=Away())
    await reporter.after(PERIOD)
    assert condition(reporter, collected) == (
        "False",
        "TimedOut",
        "properties are as they were seen last: the member's API server does not answer: away",
    )
    (started, *_), (same, *_) = before, reporter.status().conditions
    assert started == same


class Away(FakeClient):
    """A member's API server that does not answer."""

    @override
    async def get(self, model: Any, key: Key) -> Any:
        raise TransientError("away")


async def test_of_many_namespaces_the_first_are_told_and_that_they_are_not_all() -> None:
    spaces = [Namespace(metadata=Metadata(name=f"n{number:03}")) for number in range(201)]
    reporter = await reported(*spaces[:200])
    kind = "NamespaceCollectionSucceeded"
    assert condition(reporter, kind)[:2] == ("True", "Succeeded")
    reporter = await reported(*spaces)
    assert condition(reporter, kind)[:2] == ("False", "Degraded")
    assert list(reporter.status().namespaces) == [space.name for space in spaces[:200]]


async def test_namespaces_are_told_with_the_work_that_made_them() -> None:
    record = OwnerReference(api_version="x/v1", kind="AppliedWork", name="w", uid="u")
    ours = Namespace(metadata=Metadata(name="ours", owner_references=(record,)))
    reporter = Reporter(ours, Namespace(metadata=Metadata(name="default")))
    await reporter.report()
    assert reporter.status().namespaces == {"default": "", "ours": "w"}
