"""An agent tells Prometheus when its token ends, and which workloads of its member are ready."""

from pathlib import Path

from fleet.runtime.metrics import exposition
from fleet.testing.tokens import NOON, signed
from member_agent.gauges import Gauges
from member_agent.kinds import Kinds

DAY = 24 * 3600


def lines(gauges: Gauges, name: str) -> list[str]:
    with gauges.asked():
        found = exposition().decode().splitlines()
    return [line.removeprefix(name) for line in found if line.startswith((f"{name} ", f"{name}{{"))]


def test_the_end_of_the_token_is_told_and_the_token_is_not(tmp_path: Path) -> None:
    path, token = tmp_path / "token", signed()
    gauges, name = Gauges(Kinds("us"), path), "modelfleet_agent_token_expires_timestamp_seconds"
    assert lines(gauges, name) == []
    path.write_text(token, encoding="utf-8")
    (value,) = lines(gauges, name)
    assert float(value) == NOON.timestamp() + DAY
    assert token.encode() not in exposition()


def test_workloads_of_the_member_are_ready_or_not(tmp_path: Path) -> None:
    kinds = Kinds("us")
    gauges = Gauges(kinds, tmp_path / "token")
    api, metadata = "kaito.sh/v1beta1", {"name": "phi", "namespace": "demo"}
    when = "2026-01-01T12:00:00Z"
    ready = {"type": "InferenceReady", "status": "True", "reason": "R", "lastTransitionTime": when}
    kinds.workspaces.put(
        {
            "apiVersion": api,
            "kind": "Workspace",
            "metadata": metadata,
            "status": {"conditions": [ready]},
        }
    )
    template = {"inference": {"preset": {"name": "phi-4-mini-instruct"}}}
    kinds.inference_sets.put(
        {
            "apiVersion": api,
            "kind": "InferenceSet",
            "metadata": metadata,
            "spec": {"template": template},
        }
    )
    assert sorted(lines(gauges, "modelfleet_workload_ready")) == [
        '{kind="InferenceSet",name="phi",namespace="demo"} 0.0',
        '{kind="Workspace",name="phi",namespace="demo"} 1.0',
    ]
