"""The manifests that a Workspace becomes, each beside this file for a person to review."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.api import names
from fleet.api.workspace import Workspace
from member_agent.controllers.workspace.plan import plan
from tests.unit.member_agent.controllers.workspace.member import phi
from tests.unit.member_agent.controllers.workspace.plan.sight import Body, config, manifests, seen

GOLDENS = Path(__file__).parent.parent / "goldens"
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"team": "ml"}, "annotations": {"note": "mine"}},
    "spec": {
        "containers": [
            {
                "name": "server",
                "image": "example/server:1",
                "ports": [{"containerPort": 8080}],
                "resources": {"limits": {"nvidia.com/gpu": "1"}},
            }
        ],
        "tolerations": [{"key": "mine", "operator": "Exists"}],
    },
}


def owned() -> Workspace:
    """Write a replica of an InferenceSet, with all that a user may add to a preset."""
    preset = {
        "name": "microsoft/Phi-4-mini-instruct",
        "presetOptions": {"modelAccessSecret": "hub-token"},
    }
    notes = {names.SERVICE: "small", names.MODEL: "small-phi", names.ENABLE_LOAD_BALANCER: "True"}
    served = phi(inference={"preset": preset, "config": "tuned"}, annotations=notes)
    body = served.manifest()
    body["metadata"]["labels"] = {names.INFERENCE_SET: "phis"}
    return Workspace.model_validate(body)


def adapted() -> Workspace:
    """Write a preset with adapters from an image and from a volume, one of a name with a dot."""
    claim = {"persistentVolumeClaim": {"claimName": "chats"}}
    pulled = {"name": "sql", "image": "example/sql:1", "imagePullSecrets": ["one", "two"]}
    sources = [pulled, {"name": "v1.chat", "volumeSource": claim}]
    adapters = [{"source": sources[0]}, {"source": sources[1], "strength": "1.0"}]
    preset = {"name": "phi-4-mini-instruct"}
    return phi(inference={"preset": preset, "config": "tuned", "adapters": adapters})


CASES: dict[str, tuple[Workspace, dict[str, Any]]] = {
    "preset": (phi(), {}),
    "several-nodes": (phi(preset="llama-3.3-70b-instruct"), {}),
    "template": (phi(inference={"template": TEMPLATE}), {}),
    "adapters": (adapted(), {"config": config("vllm: {max-lora-rank: 64}")}),
    "everything": (owned(), {"config": config("vllm: {max-model-len: 4096}")}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_workspace_becomes_these_manifests(name: str) -> None:
    workspace, more = CASES[name]
    golden = GOLDENS / f"{name}.yaml"
    expected = list(yaml.safe_load_all(golden.read_text(encoding="utf-8")))
    assert _reviewed(manifests(plan(seen(workspace, **more)))) == expected


def _reviewed(made: list[Body]) -> list[Body]:
    """Leave out the stamp, a digest of the rest."""
    for manifest in made:
        assert len(manifest["metadata"].pop("annotations")[names.WORKSPACE_HASH]) == 16
    return made


@pytest.mark.parametrize("name", CASES)
def test_pods_tell_routers_what_they_serve(name: str) -> None:
    workspace, more = CASES[name]
    stateful_set, front, _ = manifests(plan(seen(workspace, **more)))
    metadata = stateful_set["spec"]["template"]["metadata"]
    assert metadata["labels"][names.SERVICE]
    assert metadata["annotations"][names.MODEL]
    assert front["spec"]["ports"][0]["port"] == 80
    selector = front["spec"]["selector"]
    assert selector == {names.WORKSPACE: "phi", names.POD_INDEX: "0"}


def test_a_users_affinity_is_kept_within_the_workspaces_nodes() -> None:
    zone = {"key": "zone", "operator": "In", "values": ["b"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    spec = {**TEMPLATE["spec"], "affinity": affinity | {"podAffinity": {"x": 1}}}
    first = manifests(plan(seen(phi(inference={"template": {"spec": spec}}))))[0]
    got = first["spec"]["template"]["spec"]["affinity"]
    (term,) = got["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    host = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["n0"]}
    assert term == {"matchExpressions": [host, zone]}
    assert got["podAffinity"] == {"x": 1}
    assert "affinity" not in TEMPLATE["spec"], "the user's object is not written to"


def test_a_model_whose_name_is_no_label_gets_one() -> None:
    served = phi(annotations={names.MODEL: "Org/Model-1.5"})
    first = manifests(plan(seen(served)))[0]
    metadata = first["spec"]["template"]["metadata"]
    assert metadata["labels"][names.SERVICE] == "org-model-1-5"
    assert metadata["annotations"][names.MODEL] == "Org/Model-1.5"
