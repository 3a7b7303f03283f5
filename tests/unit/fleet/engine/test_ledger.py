"""However decisions and reports follow each other, no node is promised twice."""

from collections import Counter
from collections.abc import Hashable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fleet.api.cluster import MemberCluster
from fleet.api.snapshot import Demand
from fleet.engine.ask import Holding
from fleet.engine.decide import decide
from fleet.engine.ledger import Ledger, Pending, Promises
from fleet.engine.rows import Slot
from tests.unit.fleet.engine.fleets import (
    A10,
    A100,
    A100X4,
    CATALOGUE,
    allocation,
    ask,
    fleet,
    holding,
    member,
    phi,
    pool,
    qwen,
)

A10S = Slot(A10, "on-demand")
PLACEMENTS = ["p", "q", "r", "s"]
CAPACITY = {"eu": {A10: 3, A100: 1}, "us": {A10: 2, A100X4: 1}, "apac": {A100: 2}}
"""Nodes by cluster and type: each is free, held, or yet to be made."""


def holds(demand: Demand, gpus: int) -> dict[str, Any]:
    return {"kind": demand.kind, "namespace": demand.namespace, "name": demand.name, "gpus": gpus}


def promised(ledger: Ledger, without: Hashable = None) -> list[Pending]:
    return list(ledger.pending(without=without))


def test_a_promise_stands_until_the_member_reports_the_gpus() -> None:
    demand, known = phi(replicas=2), fleet(member("eu", pool(A10, 3)))
    ledger = Ledger(known)
    ledger.promise("p", "eu", [allocation(demand, replicas=2)])
    assert promised(ledger) == [Pending("eu", A10S, 2)]
    assert promised(ledger, without="p") == []
    for gpus, left in ((1, [Pending("eu", A10S, 1)]), (2, [])):
        known.put(member("eu", pool(A10, 3 - gpus, holds=[holds(demand, gpus)])))
        ledger.reported("eu")
        assert promised(ledger) == left


def test_a_promise_that_is_lost_again_stands_again() -> None:
    demand, known = phi(), fleet(member("eu", pool(A10, 3, holds=[holds(phi(), 1)])))
    ledger = Ledger(known)
    ledger.promise("p", "eu", [allocation(demand)])
    assert promised(ledger) == []
    known.put(member("eu", pool(A10, 3)))
    ledger.reported("eu")
    assert promised(ledger) == [Pending("eu", A10S, 1)]


def test_a_new_decision_takes_the_place_of_the_old_one() -> None:
    ledger = Ledger(fleet(member("eu", pool(A10)), member("us", pool(A10))))
    ledger.decided("p", {"eu": (allocation(phi()),)})
    ledger.decided("p", {"us": (allocation(phi()),)})
    assert promised(ledger) == [Pending("us", A10S, 1)]
    assert list(ledger.placements_on("eu")) == []
    ledger.decided("p", {})
    assert (promised(ledger), list(ledger.placements_on("us"))) == ([], [])


def test_nothing_is_promised_of_what_a_member_does_not_have() -> None:
    known = fleet(member("us"))
    ledger = Ledger(known)
    ledger.promise("p", "eu", [allocation(phi())])
    ledger.promise("p", "us", [allocation(phi())])
    assert promised(ledger) == []
    known.put(member("eu", pool(A10)))
    ledger.reported("eu")
    assert promised(ledger) == [Pending("eu", A10S, 1)]


def test_a_whole_node_is_held_only_when_all_of_its_gpus_are() -> None:
    known = fleet(member("eu", pool(A100X4, holds=[holds(phi(), 3)])))
    ledger = Ledger(known)
    ledger.promise("p", "eu", [allocation(phi(), A100X4, gpusPerReplica=4)])
    assert promised(ledger) == [Pending("eu", Slot(A100X4, "on-demand"), 1)]


class Deciding(RuleBasedStateMachine):
    """Placements are decided and given up, and members report, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, Promises] = {}
        self.reported: dict[str, Counter[tuple[str, str, str]]] = {
            name: Counter() for name in CAPACITY
        }
        """Nodes that workloads hold, by cluster: type, kind and name."""
        self.fleet = fleet(*map(self._member, CAPACITY))
        self.ledger = Ledger(self.fleet)

    @rule(
        name=st.sampled_from(PLACEMENTS),
        replicas=st.integers(1, 4),
        number=st.none() | st.integers(1, 3),
        split=st.booleans(),
        weights=st.sampled_from(["7", "60"]),
    )
    def decide(
        self, name: str, replicas: int, number: int | None, weights: str, *, split: bool
    ) -> None:
        demand = (qwen(replicas) if split else phi(replicas=replicas)).model_copy(
            update={"name": name, "weights_gib": weights}
        )
        asked = ask(
            number,
            demand,
            policy={"scoring": {"maxClusters": 2}},
            holdings=self._holdings(name),
        )
        found = decide(asked, self.fleet, self.ledger.pending(without=name))
        self.taken[name] = {choice.cluster: choice.allocations for choice in found.chosen}
        self.ledger.decided(name, self.taken[name])
        self._release(name)

    @rule(name=st.sampled_from(PLACEMENTS))
    def give_up(self, name: str) -> None:
        self.taken.pop(name, None)
        self.ledger.decided(name, {})
        self._release(name)

    @rule(cluster=st.sampled_from(sorted(CAPACITY)), nodes=st.integers(1, 3))
    def report(self, cluster: str, nodes: int) -> None:
        """Let workloads get some of the nodes that they were promised, and the member say so."""
        for taken in self.taken.values():
            for given in taken.get(cluster, ()):
                what = (given.instance_type, given.kind, given.name)
                self.reported[cluster][what] = min(
                    given.nodes, self.reported[cluster][what] + nodes
                )
        self._heartbeat(cluster)

    @invariant()
    def no_node_is_promised_twice(self) -> None:
        for cluster, types in CAPACITY.items():
            nodes: Counter[str] = Counter()
            for taken in self.taken.values():
                for given in taken.get(cluster, ()):
                    nodes[given.instance_type] += given.nodes
            assert all(count <= types[name] for name, count in nodes.items())

    def _holdings(self, name: str) -> tuple[Holding, ...]:
        taken = self.taken.get(name, {})
        return tuple(
            holding(cluster, *given, current=False, same_rules=True)
            for cluster, given in taken.items()
        )

    def _release(self, name: str) -> None:
        """A workload that is placed anew elsewhere, or smaller, gives back what it had."""
        for cluster, held in self.reported.items():
            given = self.taken.get(name, {}).get(cluster, ())
            kept = {(each.instance_type, each.kind, each.name): each.nodes for each in given}
            for what in [what for what in held if what[2] == name]:
                held[what] = min(held[what], kept.get(what, 0))
            self._heartbeat(cluster)

    def _heartbeat(self, cluster: str) -> None:
        self.fleet.put(self._member(cluster))
        self.ledger.reported(cluster)

    def _member(self, cluster: str) -> MemberCluster:
        pools = []
        for name, nodes in CAPACITY[cluster].items():
            sku = CATALOGUE.sku(name)
            assert sku is not None
            held = {what: n for what, n in self.reported[cluster].items() if what[0] == name and n}
            given = [
                {"kind": kind, "namespace": "demo", "name": owner, "gpus": count * sku.gpus}
                for (_, kind, owner), count in held.items()
            ]
            left = nodes - sum(held.values())
            pools.append(pool(name, left // 2, gpusFree=(left - left // 2) * sku.gpus, holds=given))
        return member(cluster, *pools)


TestDeciding = Deciding.TestCase
