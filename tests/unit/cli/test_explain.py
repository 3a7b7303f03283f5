"""`modelfleet explain` without a cluster: what it says, and how it says that it cannot."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.__main__ import build

FLEET = """
apiVersion: v1
kind: List
items:
- apiVersion: cluster.kubernetes-fleet.io/v1beta1
  kind: MemberCluster
  metadata: {name: us, labels: {topology.kubernetes.io/region: centralus}}
  spec: {identity: {kind: User, name: us}}
  status: &joined
    conditions:
    - {type: Joined, status: "True", reason: Joined, lastTransitionTime: "2026-01-01T00:00:00Z"}
    agentStatus:
    - type: MemberAgent
      lastReceivedHeartbeat: "2026-01-01T00:00:00Z"
      conditions:
      - {type: Joined, status: "True", reason: Well, lastTransitionTime: "2026-01-01T00:00:00Z"}
      - {type: Healthy, status: "True", reason: Well, lastTransitionTime: "2026-01-01T00:00:00Z"}
    inventory:
      pools:
      - {instanceType: Standard_NV36ads_A10_v5, gpusPerNode: 1, nodesProvisionable: 2}
- apiVersion: cluster.kubernetes-fleet.io/v1beta1
  kind: MemberCluster
  metadata: {name: eu, labels: {topology.kubernetes.io/region: northeurope}}
  spec: {identity: {kind: User, name: eu}}
  status: *joined
- apiVersion: cluster.kubernetes-fleet.io/v1beta1
  kind: MemberCluster
  metadata: {name: old, labels: {topology.kubernetes.io/region: northeurope}}
  spec: {identity: {kind: User, name: old}}
  status:
    <<: *joined
    inventory: {pools: [{instanceType: Standard_NC6s_v3, gpusPerNode: 1, nodesProvisionable: 9}]}
"""
WORKSPACE = """
apiVersion: kaito.sh/v1beta1
kind: Workspace
metadata: {name: phi, namespace: chat}
resource: {labelSelector: {}}
inference: {preset: {name: phi-4-mini-instruct}}
"""
PLACEMENT = """
---
apiVersion: placement.kubernetes-fleet.io/v1beta1
kind: ClusterResourcePlacement
metadata: {name: chat}
spec:
  resourceSelectors: [{group: "", version: v1, kind: Namespace, name: chat}]
  policy: {placementType: PickN, numberOfClusters: 2}
"""
DEPLOYMENT = """
apiVersion: modelfleet.dev/v1alpha1
kind: ModelDeployment
metadata: {name: qwen}
spec: {model: qwen2-7b, replicas: 3, clusters: {min: 2}}
"""


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("fleet.yaml", FLEET)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def explain(self, text: str, *more: str) -> Result:
        file = self.write("it.yaml", text)
        arguments = ["explain", "-f", file, "--fleet", str(self.folder / "fleet.yaml"), *more]
        return CliRunner().invoke(build(arguments), arguments)

    def data(self, text: str) -> list[dict[str, Any]]:
        result = self.explain(text, "-o", "json")
        assert result.exit_code == 0, result.stderr
        found: list[dict[str, Any]] = json.loads(result.stdout)["placements"]
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_cheapest_that_fits_is_marked_and_the_others_have_their_reason(shell: Shell) -> None:
    result = shell.explain(
        WORKSPACE + PLACEMENT.replace("numberOfClusters: 2", "numberOfClusters: 1")
    )
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines == [
        "ClusterResourcePlacement chat",
        "1 x phi-4-mini-instruct, weights 7.15 GiB",
        "CLUSTER REGION TAKES $/H SCORE REASON",
        (
            "✓ eu northeurope 1 x Standard_NV36ads_A10_v5 (1 GPU) 3.84 -383"
            " chosen: price -384, headroom +1"
        ),
        (
            "us centralus 1 x Standard_NV36ads_A10_v5 (1 GPU) 3.94 -393"
            " would do: price -394, headroom +1"
        ),
        (
            "old northeurope - - - gpu-fit: phi-4-mini-instruct: Standard_NC6s_v3"
            " compute capability 7.0, 8.0 is needed"
        ),
        "Why eu and not us: score -383 against -393",
    ]


def test_json_and_yaml_say_the_same(shell: Shell) -> None:
    printed = shell.explain(WORKSPACE, "-o", "yaml").stdout
    assert yaml.safe_load(printed)["placements"] == shell.data(WORKSPACE)


def test_a_model_deployment_is_divided_and_the_cheaper_gets_the_rest(shell: Shell) -> None:
    (found,) = shell.data(DEPLOYMENT)
    shares = {
        c["cluster"]: c["allocations"][0]["replicas"] for c in found["clusters"] if c["chosen"]
    }
    assert shares == {"eu": 2, "us": 1}
    assert found["fulfilled"]


def test_what_one_takes_is_not_there_for_the_next(shell: Shell) -> None:
    other = DEPLOYMENT.replace("name: qwen", "name: other")
    first, second = shell.data(f"{DEPLOYMENT}\n---\n{other}")
    assert first["fulfilled"]
    assert second["message"] == "clusters that are lacking: 1; replicas without room: 2"


def test_a_workload_that_nobody_selects_is_explained_all_the_same(shell: Shell) -> None:
    (found,) = shell.data(WORKSPACE)
    assert found["placement"] == "Workspace chat/phi (no placement selects it; as PickN 1)"


def test_an_inference_set_of_another_namespace_is_not_selected(shell: Shell) -> None:
    sets = WORKSPACE.replace("namespace: chat", "namespace: other")
    titles = [found["placement"].split()[0] for found in shell.data(sets + PLACEMENT)]
    assert titles == ["ClusterResourcePlacement", "Workspace"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            WORKSPACE.replace("phi-4-mini-instruct", "phi-4-mini-instrct"),
            (
                "it.yaml, document 1 (Workspace phi): inference.preset.name: unknown preset"
                " 'phi-4-mini-instrct'; did you mean"
            ),
        ),
        (
            "---\n" + PLACEMENT.replace("numberOfClusters: 2", "numberOfClusters: two"),
            (
                "it.yaml, document 2 (ClusterResourcePlacement chat):"
                " spec.policy.numberOfClusters: Input should be a valid integer"
            ),
        ),
        (
            DEPLOYMENT.replace("qwen2-7b", "gwen2-7b"),
            "it.yaml, document 1 (ModelDeployment qwen): spec.model: unknown preset 'gwen2-7b'",
        ),
        ("a: [", "it.yaml: is not YAML:"),
        ("- 1", "it.yaml, document 1: is not an object"),
        ("kind: Pod", "nothing to explain: none of"),
    ],
    ids=["preset", "field", "model", "yaml", "object", "nothing"],
)
def test_an_error_names_the_file_the_document_and_the_field(
    shell: Shell, text: str, message: str
) -> None:
    result = shell.explain(text)
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())


def test_a_fleet_without_clusters_is_named(shell: Shell) -> None:
    empty = shell.write("empty.yaml", "kind: List\nitems: []")
    result = shell.explain(WORKSPACE, "--fleet", empty)
    assert result.exit_code == 1
    assert "empty.yaml: there is no MemberCluster in it" in " ".join(result.stderr.split())


def test_without_a_question_it_says_what_to_ask() -> None:
    result = CliRunner().invoke(build(["explain"]), ["explain"])
    assert result.exit_code == 1
    assert "-f FILE" in result.stderr


def test_it_starts_without_what_talks_to_clusters() -> None:
    heavy = ["aiohttp", "kopf", "kubernetes", "httpx", "networkx"]
    code = f"import sys, cli.explain; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
