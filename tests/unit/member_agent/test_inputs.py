"""What a workload is made from: the digest moves with all that shapes it, and with nothing else."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.workspace import InferenceSet, Workspace
from fleet.testing.workloads import inference_set, workspace
from member_agent.inputs import content, inputs

TUNED = {"preset": {"name": "phi-4-mini-instruct"}, "config": "tuned"}
CHANGES: dict[str, tuple[Workspace, bool]] = {
    "its model": (workspace(preset="qwen2-7b"), True),
    "what was decided for it": (workspace(annotations={names.ALLOCATION: "{}"}), True),
    "whose replica it is": (workspace(labels={names.INFERENCE_SET: "phi"}), True),
    "another annotation": (workspace(annotations={"note": "mine"}), False),
    "another label": (workspace(labels={"team": "ml"}), False),
    "how often it was written": (workspace(generation=7, resourceVersion="9"), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_moves_with_what_shapes_a_workload(change: str) -> None:
    changed, moves = CHANGES[change]
    assert (inputs(changed).with_config("") != inputs(workspace()).with_config("")) is moves


def test_what_the_server_fills_in_moves_nothing() -> None:
    body = workspace().manifest()
    body["resource"] |= {"count": 1, "instanceType": ""}
    assert inputs(Workspace.model_validate(body)) == inputs(workspace())


@pytest.mark.parametrize("workload", [workspace, inference_set])
def test_the_content_of_its_config_moves_the_digest(workload: Any) -> None:
    made = _tuned(workload("phi"))
    assert inputs(made).config == ("demo", "tuned")
    digests = {inputs(made).with_config(each) for each in ("", content({"a": "1"}), content({}))}
    assert len(digests) == 3


def _tuned(made: Workspace | InferenceSet) -> Workspace | InferenceSet:
    body = made.manifest()
    place = body if isinstance(made, Workspace) else body["spec"]["template"]
    place["inference"] = TUNED
    return type(made).model_validate(body)
