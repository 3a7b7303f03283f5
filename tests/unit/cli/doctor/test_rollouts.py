"""Rollouts that nobody seems to look after: a hint, and never a fault."""

import pytest

from cli.doctor.facts import Facts, HubFacts
from cli.doctor.findings import State, wrong
from cli.doctor.rollouts import findings
from fleet.api.staged_update import ClusterStagedUpdateRun
from tests.unit.cli.rollout.bodies import (
    GOING,
    NOON,
    PLANNED,
    Body,
    approval,
    cluster,
    condition,
    done,
    run,
    stage,
    stage_waiting,
    waiting,
)

STUCK = condition("Progressing", "False", "UpdateRunStuck", "waits for us-1")
DONE = condition("Succeeded", "True", "UpdateRunSucceeded")


def asked(minutes: float) -> list[Body]:
    created = condition("ApprovalRequestCreated", "True", "Created", minutes=minutes)
    clusters, task = done("us-1"), approval("chat-2-after-us", created)
    return [stage("us", clusters, stage_waiting(minutes), after=[task])]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (run(PLANNED, GOING, stages=[stage("us", [cluster("us-1")])]), []),
        (run(PLANNED, STUCK), ["is stuck: waits for us-1"]),
        (run(PLANNED, waiting(59), stages=asked(59)), []),
        (
            run(PLANNED, waiting(61), stages=asked(61)),
            ["has waited for approval chat-2-after-us for over an hour"],
        ),
        (run(PLANNED, DONE, stages=asked(61)), []),
    ],
    ids=["going on", "stuck", "asked lately", "asked long ago", "done"],
)
def test_a_run_that_is_stuck_or_forgotten_is_named(body: Body, said: list[str]) -> None:
    runs = (ClusterStagedUpdateRun.model_validate(body),)
    found = list(findings(Facts(now=NOON, hub=HubFacts(where="hub", runs=runs))))
    assert [finding.message for finding in found] == said
    assert all(finding.state is State.WARNING for finding in found)
    assert all(finding.way_out == "modelfleet rollout status chat-2" for finding in found)
    assert not wrong(found)


def test_runs_that_could_not_be_seen_are_no_trouble() -> None:
    assert list(findings(Facts(now=NOON, hub=HubFacts(where="hub")))) == []
