"""plan() is a function: state in, steps out."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.binding import Binding, BindingState
from fleet.api.scope import NAMESPACED
from fleet.api.snapshot import PolicySnapshot
from fleet.engine.snapshots import Group, demands_digest
from hub.controllers.rollout.plan import Action, Advance, Delete, Observed, Report, plan
from tests.unit.hub.world import PLACEMENT, binding, condition, placement

BOUND, SCHEDULED, LEFT = BindingState.BOUND, BindingState.SCHEDULED, BindingState.UNSCHEDULED
PICK_TWO = {"placementType": "PickN", "numberOfClusters": 2}
DEMAND = {"kind": "Workspace", "namespace": "demo", "name": "phi", "model": "phi"}


def group(index: int = 1, demands: str = "") -> Group:
    annotations = {names.DEMANDS: demands} if demands else {}
    metadata = {"name": f"{PLACEMENT}-{index}-snapshot", "annotations": annotations}
    return Group(index, NAMESPACED.resources.model_validate({"metadata": metadata}))


def policy(*demands: dict[str, Any], index: int = 0, number: int = 1) -> PolicySnapshot:
    return NAMESPACED.policy.model_validate(
        {
            "metadata": {
                "name": f"{PLACEMENT}-{index}",
                "annotations": {names.NUMBER_OF_CLUSTERS: str(number)},
            },
            "spec": {"demands": demands, "policy": {"placementType": "PickN"}},
        }
    )


def has(cluster: str, state: BindingState = BOUND, *, index: int = 1, **more: Any) -> Binding:
    return binding(cluster, state, snapshot=f"{PLACEMENT}-{index}-snapshot", **more)


def step(action: Action) -> str:
    match action:
        case Advance(old, snapshot):
            return f"{old.spec.target_cluster} gets {snapshot.split('-')[1]}"
        case Delete(old):
            return f"delete {old.spec.target_cluster}"
        case Report(old):
            return f"report {old.spec.target_cluster}"


def steps(observed: Observed) -> list[str]:
    return [step(action) for action in plan(observed).actions]


def started(one: Binding) -> Binding:
    conditions = [*one.status.conditions, *_started().status.conditions]
    return one.model_copy(
        update={"status": one.status.model_copy(update={"conditions": tuple(conditions)})}
    )


def _started() -> Binding:
    body = binding("x").manifest()
    return NAMESPACED.binding.model_validate(
        body | {"status": {"conditions": [condition("RolloutStarted", True)]}}
    )


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        ([binding("us")], ["us gets 1"]),
        ([has("us", index=0)], ["us gets 1"]),
        ([has("us", SCHEDULED)], ["us gets 1"]),
        ([started(has("us"))], []),
        ([has("us")], ["report us"]),
        ([started(has("us")), started(has("eu"))], []),
        ([binding("us", LEFT)], ["delete us"]),
    ],
    ids=[
        "a new binding gets what there is",
        "an old one gets what is newer",
        "one that is taken up again is bound again",
        "one that has it has it",
        "what a crash left unsaid is said",
        "each has its own",
        "what never had resources goes at once",
    ],
)
def test_each_binding_gets_the_newest_resources(
    bindings: list[Binding], expected: list[str]
) -> None:
    observed = Observed(placement=placement(), latest=group(), bindings=tuple(bindings))
    assert steps(observed) == expected


@pytest.mark.parametrize(
    ("decided_by", "expected"), [(0, []), (1, ["us gets 1"])], ids=["not yet", "now"]
)
def test_resources_wait_for_the_allocation_that_was_decided_for_them(
    decided_by: int, expected: list[str]
) -> None:
    old, new = policy(), policy(DEMAND, index=1)
    name = f"{PLACEMENT}-{decided_by}"
    observed = Observed(
        placement=placement(),
        latest=group(demands=demands_digest(new.spec.demands)),
        policies=(old, new),
        policy=new,
        bindings=(binding("us", schedulingPolicySnapshotName=name),),
    )
    assert steps(observed) == expected


def test_an_external_controller_is_not_interfered_with() -> None:
    external = placement(strategy={"type": "External"})
    observed = Observed(placement=external, latest=group(), bindings=(binding("us"),))
    assert steps(observed) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([], []),
        ([started(has("eu", available=None))], []),
        ([started(has("eu", available=False))], []),
        ([started(has("eu", available=True))], ["delete us"]),
    ],
    ids=["nothing yet", "not reported", "not ready", "ready"],
)
def test_a_workload_leaves_when_the_new_one_is_available(
    new: list[Binding], expected: list[str]
) -> None:
    demanding = policy(DEMAND)
    observed = Observed(
        placement=placement(),
        latest=group(demands=demands_digest(demanding.spec.demands)),
        policies=(demanding,),
        policy=demanding,
        bindings=(has("us", LEFT, available=True), *new),
    )
    assert steps(observed) == expected


@pytest.mark.parametrize(
    ("leaving", "expected"),
    [
        ([has("c", LEFT, available=True)], ["delete c"]),
        (
            [has("c", LEFT, available=True), has("d", LEFT, available=True)],
            ["delete c", "delete d"],
        ),
        ([has("c", LEFT, available=False)], ["delete c"]),
    ],
    ids=["one", "two", "one that is not ready"],
)
def test_without_a_demand_kubefleet_s_formula_holds(
    leaving: list[Binding], expected: list[str]
) -> None:
    staying = [started(has(name, available=True)) for name in "ab"]
    observed = Observed(
        placement=placement(policy=PICK_TWO),
        latest=group(),
        policy=policy(number=2),
        bindings=(*staying, *leaving),
    )
    assert steps(observed) == expected


def test_what_must_stay_ready_stays() -> None:
    observed = Observed(
        placement=placement(policy=PICK_TWO, strategy={"rollingUpdate": {"maxUnavailable": 0}}),
        latest=group(),
        policy=policy(number=2),
        bindings=(
            started(has("a", available=True)),
            started(has("b", available=False)),
            has("c", LEFT, available=True),
        ),
    )
    assert steps(observed) == []


@pytest.mark.parametrize(("where", "expected"), [("silent", []), ("gone", ["delete us"])])
def test_a_silent_member_keeps_its_share_until_it_is_gone(where: str, expected: list[str]) -> None:
    clusters: dict[str, Any] = {where: frozenset({"us"})}
    observed = Observed(
        placement=placement(policy=PICK_TWO | {"numberOfClusters": 1}),
        latest=group(),
        bindings=(has("us", LEFT), started(has("eu", available=False))),
        **clusters,
    )
    assert steps(observed) == expected
