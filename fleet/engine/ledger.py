"""Capacity that is promised and not yet reported: no two placements get the same GPU.

A member reports the GPUs that a workload holds. Until it does, whatever a placement was promised
is still among what the member calls free, and the ledger takes it off.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from fleet.api.binding import Allocation
from fleet.engine.fleet import Fleet
from fleet.engine.rows import Owner, Row, Slot

Promises = dict[str, tuple[Allocation, ...]]


@dataclass(frozen=True, slots=True)
class Pending:
    """Nodes of a kind in a cluster that somebody was promised and does not hold yet."""

    cluster: str
    slot: Slot
    nodes: int


class Ledger:
    """Who was promised what, from the decision on: before anything of it is written."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._promises: dict[Hashable, Promises] = {}
        self._pending: dict[tuple[Hashable, str], tuple[Pending, ...]] = {}

    def decided(self, placement: Hashable, taken: Mapping[str, tuple[Allocation, ...]]) -> None:
        """Put a placement's new decision in the place of all that it was promised before."""
        for cluster in {*self._promises.get(placement, ()), *taken}:
            self.promise(placement, cluster, taken.get(cluster, ()))

    def promise(self, placement: Hashable, cluster: str, allocations: Iterable[Allocation]) -> None:
        """Note what a placement takes on a cluster; no allocations, no promise."""
        promised, mine = tuple(allocations), self._promises.setdefault(placement, {})
        mine.pop(cluster, None)
        if promised:
            mine[cluster] = promised
        if not mine:
            del self._promises[placement]
        self._settle(placement, cluster)

    def reported(self, cluster: str) -> None:
        """Compare with what a member holds now."""
        for placement in list(self.placements_on(cluster)):
            self._settle(placement, cluster)

    def placements_on(self, cluster: str) -> Iterator[Hashable]:
        """Name the placements that were promised something on a cluster."""
        return (who for who, promises in self._promises.items() if cluster in promises)

    def pending(self, *, without: Hashable) -> Iterator[Pending]:
        """List what others were promised and do not hold yet."""
        for (placement, _), pending in self._pending.items():
            if placement != without:
                yield from pending

    def _settle(self, placement: Hashable, cluster: str) -> None:
        self._pending.pop((placement, cluster), None)
        promised = self._promises.get(placement, {}).get(cluster, ())
        row = self._fleet.row(cluster)
        pending = tuple(missing(promised, row)) if row else ()
        if pending:
            self._pending[placement, cluster] = pending


def missing(allocations: Iterable[Allocation], row: Row) -> Iterator[Pending]:
    """List the nodes that workloads still lack of what was allocated to them."""
    for allocation in allocations:
        slot = Slot(allocation.instance_type, allocation.capacity_type)
        stock = row.stocks.get(slot)
        if stock and stock.gpus_per_node:
            held = row.held(slot, Owner.of(allocation)) // stock.gpus_per_node
            if allocation.nodes > held:
                yield Pending(row.name, slot, allocation.nodes - held)
