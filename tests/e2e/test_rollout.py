"""A change goes region by region, as in the demo, and back again, and no request fails."""

import json
from typing import Any

import openai
import pytest

from cli.demo.picture import recorder
from cli.demo.rollout import MODEL, PLACEMENT, RUN, Rollout
from cli.demo.shell import Shell
from cli.demo.traffic import Traffic
from tests.e2e.local_fleet import LocalFleet, until

MEMBERS = ("us", "eu", "apac")


@pytest.mark.timeout(900)
def test_a_change_goes_region_by_region_and_an_older_snapshot_takes_it_back(
    fleet: LocalFleet, client: openai.OpenAI
) -> None:
    console = recorder()
    rollout = Rollout(console, Shell(console, fleet.name), client)
    rollout.begin()
    rollout.change()
    assert "0 failed" in console.export_text()
    assert _sequences(fleet) == {"--max-num-seqs=128"}
    with Traffic(client, MODEL) as traffic:
        fleet.modelfleet("rollout", "undo", PLACEMENT)
        until(lambda: _state(fleet)["state"] == "waiting", "the run back to ask for approval")
        assert _sequences(fleet) == {"--max-num-seqs=64", "--max-num-seqs=128"}
        fleet.modelfleet("rollout", "approve", PLACEMENT)
        until(lambda: _state(fleet)["state"] == "done", "the end of the run back")
    assert traffic.refused == []
    assert traffic.answered
    assert _state(fleet)["name"] != RUN
    assert _sequences(fleet) == {"--max-num-seqs=64"}


def _state(fleet: LocalFleet) -> Any:
    """Read how the newest run stands."""
    return json.loads(fleet.modelfleet("rollout", "status", PLACEMENT, "-o", "json"))


def _sequences(fleet: LocalFleet) -> set[str]:
    """Read what the engines of all regions were given of the argument that changes."""
    words = [word for member in MEMBERS for pod in _pods(fleet, member) for word in _words(pod)]
    return {word for word in words if word.startswith("--max-num-seqs")}


def _pods(fleet: LocalFleet, member: str) -> list[Any]:
    """Leave out those that are on their way out."""
    found = fleet.items(member, "pods", "-l", "kaito.sh/workspace=phi-3-mini")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def _words(pod: Any) -> list[str]:
    return list(pod["spec"]["containers"][0]["args"])
