"""What cannot be done is said where the user looks, and harms nothing."""

from typing import Any

import openai
import pytest

from tests.e2e.local_fleet import (
    CommandError,
    LocalFleet,
    condition,
    namespace,
    placement,
    until,
    whole_namespace,
    workspace,
)


def test_an_unknown_preset_is_refused_with_the_field(whole_fleet: LocalFleet) -> None:
    with pytest.raises(CommandError, match=r"(?s)preset.*nonesuch"):
        whole_fleet.apply("hub", namespace("bad"), workspace("bad", "bad", "nonesuch"))


def test_a_preset_and_a_template_together_are_refused(whole_fleet: LocalFleet) -> None:
    both = workspace("bad", "bad", "phi-4-mini-instruct")
    both["inference"]["template"] = {"spec": {"containers": []}}
    with pytest.raises(CommandError, match="Preset and Template cannot be set at the same time"):
        whole_fleet.apply("hub", namespace("bad"), both)


def _scheduled(fleet: LocalFleet, name: str) -> Any:
    """Wait for what the placement says of its scheduling when it fails."""

    def refused() -> Any:
        found = fleet.get("hub", "clusterresourceplacement", name)
        told = condition(found, "ClusterResourcePlacementScheduled")
        return told if told and told["status"] == "False" else None

    return until(refused, "the placement to say that it has no place", seconds=30)


def test_a_gpu_that_nobody_has_is_named_in_the_placement(fleet: LocalFleet) -> None:
    name = "no-gpu"
    fleet.apply(
        "hub",
        namespace(name),
        workspace(name, name, "phi-4-mini-instruct", instanceType="p5.48xlarge"),
        placement(name, [whole_namespace(name)]),
    )
    told = _scheduled(fleet, name)
    assert told["reason"] == "SchedulingPolicyUnfulfilled"
    explained = fleet.modelfleet("explain", name)
    assert "p5.48xlarge" in explained


def test_a_placement_that_selects_nothing_says_so(fleet: LocalFleet) -> None:
    name = "nothing"
    fleet.apply("hub", placement(name, [whole_namespace("there-is-none")]))

    def told() -> Any:
        found = fleet.get("hub", "clusterresourceplacement", name)
        conditions = found.get("status", {}).get("conditions", [])
        return [c for c in conditions if "select" in c["message"].lower()]

    assert until(told, "a condition that says so", seconds=30)


def test_a_model_that_nobody_serves_is_unknown(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="nonesuch"):
        client.chat.completions.create(
            model="nonesuch", messages=[{"role": "user", "content": "hello"}]
        )


def test_a_wrong_key_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").models.list()
