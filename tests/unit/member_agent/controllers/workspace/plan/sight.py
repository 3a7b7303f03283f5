"""A Workspace and a member that has a node for it, as `plan` sees them."""

from typing import Any

from fleet.api.core import ConfigMap, Node
from fleet.api.objects import Metadata
from fleet.api.workspace import Workspace
from fleet.catalog.catalogue import load
from member_agent.controllers.workspace.plan import plan
from member_agent.controllers.workspace.plan.actions import (
    Cluster,
    Need,
    Observed,
    Plan,
    Refusal,
    Rules,
    WriteService,
    WriteStatefulSet,
)
from tests.unit.member_agent.hardware import A100, MIDNIGHT, node

Body = dict[str, Any]


def seen(workspace: Workspace, *nodes: Node, **more: Any) -> Observed:
    """Observe a Workspace on nodes that are free."""
    there = nodes or tuple(node(f"n{index}", A100) for index in range(3))
    return Observed(
        workspace=workspace,
        claims=(),
        cluster=Cluster(nodes=there, region="centralus"),
        catalogue=load(),
        rules=Rules(image="vllm/vllm-openai:v0.33.0", puller_image="puller:v1", launch_seconds=300),
        now=MIDNIGHT,
        **more,
    )


def config(text: str) -> ConfigMap:
    named = Metadata(name="tuned", namespace="demo")
    return ConfigMap(metadata=named, data={"inference_config.yaml": text})


def manifests(planned: Plan) -> list[Body]:
    """Give the workload that a plan writes, as the API server gets it."""
    found = []
    for action in planned.actions:
        match action:
            case WriteStatefulSet(made) | WriteService(made):
                found.append(made.manifest())
            case _:
                pass
    return found


def engine(workspace: Workspace, *nodes: Node, **more: Any) -> Body:
    """Plan a Workspace, and give its engine's container."""
    first = manifests(plan(seen(workspace, *nodes, **more)))[0]
    container: Body = first["spec"]["template"]["spec"]["containers"][0]
    return container


def needed(workspace: Workspace, *nodes: Node, **more: Any) -> Need:
    outcome = plan(seen(workspace, *nodes, **more)).outcome
    assert outcome
    assert outcome.need, outcome.refusal
    return outcome.need


def refused(workspace: Workspace, *nodes: Node, **more: Any) -> Refusal:
    outcome = plan(seen(workspace, *nodes, **more)).outcome
    assert outcome
    assert outcome.refusal, outcome.need
    return outcome.refusal
