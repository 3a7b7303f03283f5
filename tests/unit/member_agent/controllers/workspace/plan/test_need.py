"""How many nodes of which type a Workspace takes, and what is told where none will do."""

import json
from typing import Any

import pytest

from fleet.api import names
from fleet.api.core import Node
from fleet.api.workspace import Workspace
from member_agent.controllers.workspace.plan import plan
from tests.unit.member_agent.controllers.workspace.member import phi
from tests.unit.member_agent.controllers.workspace.plan.sight import (
    config,
    engine,
    needed,
    refused,
    seen,
)
from tests.unit.member_agent.hardware import A10, A100, A100X4, T4, V100, node

LLAMA = "llama-3.3-70b-instruct"
PHI4 = "phi-4"


def allocated(kind: str, **more: Any) -> Workspace:
    given: dict[str, Any] = {"kind": "Workspace", "namespace": "demo", "name": "phi"}
    given |= {"instanceType": kind, "gpusPerReplica": 1, "usdPerHour": "1", **more}
    return phi(annotations={names.ALLOCATION: json.dumps(given)})


def four(count: int = 1) -> list[Node]:
    return [node(f"n{index}", A100X4, gpus=4) for index in range(count)]


def template(**resource: Any) -> Workspace:
    gpus = {"limits": {names.GPU: "1"}}
    containers = [{"name": "server", "image": "example/server:1", "resources": gpus}]
    return phi(inference={"template": {"spec": {"containers": containers}}}, **resource)


SIZES: list[tuple[Workspace, list[Node], tuple[str, int, int, int]]] = [
    (phi(), [node(kind=A10)], (A10, 1, 1, 1)),
    (phi(preset=PHI4), [node(kind=A100)], (A100, 1, 1, 1)),
    (phi(preset=PHI4), [node("a", A10), node("b", A10)], (A10, 2, 1, 1)),
    (phi(preset=LLAMA), [node(kind=A100)], (A100, 3, 1, 1)),
    (phi(preset=LLAMA), four(), (A100X4, 1, 4, 4)),
    (phi(preset=LLAMA), [node(kind=A100), *four()], (A100X4, 1, 4, 4)),
    (allocated(A100X4, gpusPerReplica=2), [], (A100X4, 1, 2, 4)),
    (allocated(A100, gpusPerReplica=2, nodesPerReplica=2), [], (A100, 2, 1, 1)),
    (template(), [node(kind=A10)], (A10, 1, 1, 1)),
    (template(count=2), [node("a", A10), node("b", A10)], (A10, 2, 1, 1)),
    (phi(count=3), [node(kind=A10)], (A10, 1, 1, 1)),
]


@pytest.mark.parametrize(
    ("workspace", "nodes", "size"),
    SIZES,
    ids=[
        "a small model",
        "a larger one",
        "a larger one on small nodes",
        "a large one on many nodes",
        "a large one on one node",
        "one node before several",
        "as it was decided, a part of a node",
        "as it was decided, several nodes",
        "a template",
        "a template on as many nodes as it says",
        "a preset whatever count it gives",
    ],
)
def test_a_workspace_needs_what_its_model_takes(
    workspace: Workspace, nodes: list[Node], size: tuple[str, int, int, int]
) -> None:
    found = needed(workspace, *nodes)
    assert (found.instance_type, found.nodes, found.gpus, found.node_gpus) == size


def test_what_was_decided_for_a_template_counts_all_its_nodes() -> None:
    decided = allocated(A10, replicas=2).metadata.annotations
    body = template(count=2).manifest()
    body["metadata"]["annotations"] = dict(decided)
    assert needed(Workspace.model_validate(body)).nodes == 2


def test_what_was_decided_is_obeyed_and_not_estimated_anew() -> None:
    assert needed(allocated(A100), node(kind=A10)).instance_type == A100
    assert needed(allocated(A10, capacityType="spot")).capacity_type == "spot"


ARGUMENTS: list[tuple[Workspace, list[Node], set[str], set[str]]] = [
    (
        phi(preset=LLAMA),
        four(),
        {"--tensor-parallel-size=4", "--dtype=bfloat16"},
        {"--data-parallel-size", "--pipeline-parallel-size"},
    ),
    (phi(), four(), {"--tensor-parallel-size=1", "--data-parallel-size=4"}, set()),
    (
        phi(instanceType=T4),
        [node(kind=T4)],
        {"--dtype=half", "--gpu-memory-utilization=0.84"},
        {"--dtype=bfloat16"},
    ),
    (allocated(V100), [node(kind=V100)], {"--dtype=half"}, {"--dtype=bfloat16"}),
    (phi(), [node(kind=A10)], {"--gpu-memory-utilization=0.82"}, set()),
    (
        allocated(A100X4, gpusPerReplica=2),
        four(),
        {"--tensor-parallel-size=1", "--data-parallel-size=2"},
        set(),
    ),
]


@pytest.mark.parametrize(
    ("workspace", "nodes", "there", "absent"),
    ARGUMENTS,
    ids=[
        "a large model is divided",
        "a small one is served in copies",
        "an older GPU that the user named",
        "an older GPU that the hub decided for",
        "an A10 keeps more to itself",
        "a part of a node",
    ],
)
def test_the_engine_is_told_how_to_use_its_gpus(
    workspace: Workspace, nodes: list[Node], there: set[str], absent: set[str]
) -> None:
    args = set(engine(workspace, *nodes)["args"])
    assert there <= args
    assert not absent & ({arg.partition("=")[0] for arg in args} | args)


@pytest.mark.parametrize(
    ("workspace", "nodes", "told", "final"),
    [
        (phi(preset="phi-4-mini"), [], "did you mean", True),
        (phi(preset="zzz"), [], "unknown preset 'zzz'; it is not in the catalogue", True),
        (phi(), [node(gpus=0)], "the cluster has no GPU nodes, and no NodePool", False),
        (phi(), [node(kind=V100)], "compute capability 7.0, 8.0 is needed", False),
        (
            phi(instanceType=A100),
            [node(kind=A10)],
            f"resource.instanceType: {A100} is not offered; there are {A10}",
            False,
        ),
        (
            phi(preset="deepseek-r1-0528", instanceType=A10),
            [node(kind=A10)],
            "GiB a GPU are needed",
            False,
        ),
        (phi(annotations={names.RUNTIME: "tgi"}), [], "tgi is no engine", True),
        (phi(annotations={names.ALLOCATION: "{}"}), [], f"annotation {names.ALLOCATION}", True),
        (phi(annotations={names.ALLOCATION: "x"}), [], "Invalid JSON", True),
        (phi(annotations={names.GPUS_PER_REPLICA: "x"}), [], "'x' is no number", True),
        (
            phi(inference={"preset": {"name": "phi-4"}, "template": {"spec": {}}}),
            [],
            "either a preset or a template",
            True,
        ),
        (phi(inference={}), [], "preset or template is missing", True),
        (
            Workspace.model_validate({"metadata": {"name": "phi"}, "tuning": {}}),
            [],
            "does not tune",
            True,
        ),
    ],
)
def test_a_workspace_that_cannot_be_served_is_told_why(
    workspace: Workspace, nodes: list[Node], told: str, *, final: bool
) -> None:
    refusal = refused(workspace, *nodes)
    assert told in refusal.message
    assert refusal.final is final


def test_a_message_names_a_few_types_and_counts_the_rest() -> None:
    kinds = (
        "Standard_NC12s_v3",
        "Standard_NC24s_v3",
        V100,
        "Standard_NC16as_T4_v3",
        T4,
        "Standard_NC8as_T4_v3",
    )
    nodes = [node(f"n{index}", kind) for index, kind in enumerate(kinds)]
    message = refused(phi(), *nodes).message
    assert message.count("compute capability") == 4
    assert message.endswith("; and 2 more")


UNKNOWN = {
    "nvidia.com/gpu.product": "NVIDIA-L40S",
    "nvidia.com/gpu.count": "2",
    "nvidia.com/gpu.memory": "46068",
    "nvidia.com/gpu.compute.major": "8",
    "nvidia.com/gpu.compute.minor": "9",
}


def test_a_node_of_no_known_type_is_described_by_its_labels() -> None:
    found = needed(phi(preset=PHI4), node(kind="on-premises", gpus=2, labels=UNKNOWN))
    assert (found.instance_type, found.nodes, found.gpus) == ("on-premises", 1, 2)
    assert found.serving
    assert found.serving.tensor_parallel == 2


def test_a_node_of_no_known_type_without_labels_is_not_counted_on() -> None:
    assert "no GPU nodes" in refused(phi(), node(kind="on-premises")).message


def test_the_context_that_a_user_asks_for_is_counted() -> None:
    served = phi(inference={"preset": {"name": "phi-3-mini-128k-instruct"}, "config": "tuned"})
    short, long = (config(f"vllm: {{max_model_len: {tokens}}}") for tokens in (2048, 131072))
    a10 = node(kind=A10)
    assert needed(served, a10, config=short).nodes == 1
    assert needed(served, a10, config=long).nodes > 1


def test_what_cannot_be_placed_keeps_what_is_there() -> None:
    broken = phi(preset="zzz")
    planned = plan(seen(broken))
    assert planned.outcome
    assert planned.outcome.need is None
    assert [type(action).__name__ for action in planned.actions] == ["Hold"]
