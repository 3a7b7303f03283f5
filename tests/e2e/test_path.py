"""The whole path: placed for a stated reason, served, gone on with when a region is lost."""

import time

import httpx
import openai
import pytest

from tests.e2e.local_fleet import (
    LocalFleet,
    ask,
    condition,
    namespace,
    placement,
    until,
    whole_namespace,
    workspace,
)

REGIONS = {"centralus": "us", "northeurope": "eu", "japaneast": "apac"}
PHI, QWEN = "phi-4-mini-instruct", "qwen2-7b"


def test_a_lost_region_is_replaced_and_comes_back(fleet: LocalFleet, client: openai.OpenAI) -> None:
    fleet.kubectl("hub", "apply", "-f", "examples/phi-4-mini.yaml")
    fleet.kubectl("hub", "apply", "-f", "examples/model-deployment.yaml")
    served = until(lambda: ask(client, PHI), f"an answer of {PHI}")
    until(lambda: _replicas_ready(fleet), f"all replicas of {QWEN}")
    assert until(lambda: ask(client, QWEN), f"an answer of {QWEN}")
    lost = REGIONS[served]
    fleet.modelfleet("local", "stop", lost)
    assert ask(client, QWEN) != served
    with pytest.raises(openai.APIStatusError) as refused:
        ask(client, PHI)
    assert refused.value.status_code == 503
    assert int(refused.value.response.headers["retry-after"]) > 0
    second = until(lambda: ask(client, PHI), f"{PHI} from another region", seconds=180)
    assert second != served
    fleet.modelfleet("local", "start", lost)
    until(lambda: _works_of(fleet, lost) == [], f"{lost} to be relieved of what moved")
    assert ask(client, PHI) == second


def _replicas_ready(fleet: LocalFleet) -> bool:
    (deployment,) = fleet.items("hub", "modeldeployments.modelfleet.dev")
    ready = condition(deployment, "Ready")
    return ready is not None and ready["status"] == "True"


def _works_of(fleet: LocalFleet, member: str) -> list[str]:
    works = fleet.get("hub", "works.placement.kubernetes-fleet.io", "-n", f"fleet-member-{member}")
    return [w["metadata"]["name"] for w in works["items"] if "phi" in w["metadata"]["name"]]


def test_the_winner_is_where_it_is_cheapest(fleet: LocalFleet, client: openai.OpenAI) -> None:
    """V100s are cheapest in northeurope, which no tie-break would choose."""
    name = "cheapest"
    fleet.apply(
        "hub",
        namespace(name),
        workspace(name, name, "phi-3-mini-4k-instruct", instanceType="Standard_NC6s_v3"),
        placement(name, [whole_namespace(name)]),
    )
    binding = until(lambda: fleet.binding("clusterresourcebindings", name), "a binding")
    assert binding["spec"]["targetCluster"] == "eu"
    (allocation,) = binding["spec"]["allocations"]
    assert allocation["instanceType"] == "Standard_NC6s_v3"
    assert binding["spec"]["clusterDecision"]["reason"]
    assert until(lambda: ask(client, "phi-3-mini-4k-instruct"), "an answer") == "northeurope"
    explained = fleet.modelfleet("explain", name)
    assert "northeurope" in explained or "eu" in explained
    assert f"{name}-0" in fleet.modelfleet("logs", name, "-n", name)
    assert "Standard_NC6s_v3" in fleet.modelfleet("get", "bindings")
    with fleet.forwarded("eu", f"{name}-0", 5000, namespace=name) as pod:
        assert "phi-3-mini-4k-instruct" in httpx.get(f"{pod}/v1/models").text


def test_edits_reach_the_member_and_nothing_is_left_after_deletion(
    fleet: LocalFleet, client: openai.OpenAI
) -> None:
    name = "edited"
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "engine", "namespace": name},
        "data": {"inference_config.yaml": "vllm:\n  max-model-len: 4096\n"},
    }
    extra = {**config, "metadata": {"name": "extra", "namespace": name}}
    model = workspace(name, name, PHI)
    model["inference"]["config"] = "engine"
    fleet.apply(
        "hub", namespace(name), config, extra, model, placement(name, [whole_namespace(name)])
    )
    until(lambda: ask(client, PHI), "an answer")
    binding = until(lambda: fleet.binding("clusterresourcebindings", name), "a binding")
    member = binding["spec"]["targetCluster"]
    assert "--max-model-len=4096" in _arguments(fleet, member, name)
    config["data"] = {"inference_config.yaml": "vllm:\n  max-model-len: 2048\n"}
    fleet.apply("hub", config)
    until(lambda: "--max-model-len=2048" in _arguments(fleet, member, name), "the edited argument")
    until(lambda: ask(client, PHI), "an answer of the engine that was started anew")
    fleet.kubectl("hub", "delete", "configmap", "extra", "-n", name)
    until(
        lambda: "extra" not in [c["metadata"]["name"] for c in _configs(fleet, member, name)],
        "the manifest that was taken out to go",
    )
    fleet.kubectl("hub", "delete", "clusterresourceplacement", name)
    until(lambda: _left(fleet, member, name) == [], "everything to be gone")


def _arguments(fleet: LocalFleet, member: str, name: str) -> list[str]:
    """Read what the pods that are ready run with: while they change, earlier ones and new ones."""
    pods = fleet.get(member, "pods", "-n", name, "-l", f"kaito.sh/workspace={name}")["items"]
    ready = [pod for pod in pods if (condition(pod, "Ready") or {}).get("status") == "True"]
    return [argument for pod in ready for argument in pod["spec"]["containers"][0]["args"]]


def _configs(fleet: LocalFleet, member: str, name: str) -> list[dict[str, dict[str, str]]]:
    return list(fleet.get(member, "configmaps", "-n", name)["items"])


def _left(fleet: LocalFleet, member: str, name: str) -> list[str]:
    """Name what is still there of a placement."""
    found = [
        *fleet.items(member, "pods", "-l", f"kaito.sh/workspace={name}"),
        *fleet.items(member, "nodeclaims", "-l", f"kaito.sh/workspace={name}"),
        *fleet.items(member, "nodes", "-l", f"kaito.sh/workspace={name}"),
        *fleet.placed(member, "appliedworks"),
        *fleet.placed("hub", "works.placement.kubernetes-fleet.io"),
        *fleet.items("hub", "clusterresourcebindings"),
        *fleet.items("hub", "modelendpoints"),
    ]
    return [f"{item['kind']}/{item['metadata']['name']}" for item in found]


def test_a_type_sold_out_after_the_decision_is_decided_anew(
    fleet: LocalFleet, client: openai.OpenAI
) -> None:
    name, pool = "sold-out", "standard-nc6s-v3"
    taken = fleet.get("eu", "kwoknodeclasses.karpenter.kwok.sh", pool)
    fleet.kubectl("eu", "delete", "kwoknodeclasses.karpenter.kwok.sh", pool)
    try:
        fleet.apply(
            "hub",
            namespace(name),
            workspace(name, name, "phi-3-mini-4k-instruct", instanceType="Standard_NC6s_v3"),
            placement(name, [whole_namespace(name)]),
        )
        region = until(lambda: ask(client, "phi-3-mini-4k-instruct"), "an answer", seconds=180)
        assert region != "northeurope"
    finally:
        fleet.apply("eu", {k: v for k, v in taken.items() if k != "status"})
        # Else it counts as sold out for some minutes more, for other tests too.
        fleet.kubectl("eu", "annotate", "nodepool", pool, "modelfleet.dev/sold-out-")


@pytest.mark.parametrize("process", ["hub", "agent", "gateway"])
def test_a_program_killed_in_the_middle_goes_on_where_it_was(
    fleet: LocalFleet, client: openai.OpenAI, process: str
) -> None:
    name = f"killed-{process}"
    fleet.apply(
        "hub",
        namespace(name),
        workspace(name, name, PHI),
        placement(name, [whole_namespace(name)]),
    )
    binding = until(lambda: fleet.binding("clusterresourcebindings", name), "a binding")
    member = binding["spec"]["targetCluster"]
    fleet.kill({"hub": "hub", "agent": f"{member}-agent", "gateway": "gateway"}[process])
    started = time.monotonic()
    fleet.modelfleet("local", "up")
    assert until(lambda: ask(client, PHI), f"an answer after {process} was killed")
    until(
        lambda: condition(
            fleet.get("hub", "clusterresourceplacement", name), "ClusterResourcePlacementAvailable"
        ),
        f"the placement's status, {time.monotonic() - started:.0f} s after the restart",
    )
