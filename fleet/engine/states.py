"""Which clusters may not be chosen, or not by everybody, kept up to date cluster by cluster."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fleet.engine.columns import Flags
from fleet.engine.rows import Row, Taint

if TYPE_CHECKING:
    from datetime import datetime


class States:
    def __init__(self, rows: Sequence[Row]) -> None:
        self._size = len(rows)
        self.unfit: Flags = np.array([_unfit(row) for row in rows], np.bool_)
        """Clusters that have not joined or are leaving."""
        self.tainted: dict[Taint, Flags] = {}
        """The clusters that have a taint; none any more, at times."""
        self.unhealthy: dict[str, datetime] = {}
        """Clusters whose agents are unhealthy, and since when."""
        self._without: dict[str, Flags] = {}
        """By namespace, the clusters that report theirs and have it not: for those asked for."""
        for line, row in enumerate(rows):
            self._taint(line, row, there=True)
            self._health(row)

    def put(self, line: int, old: Row, new: Row) -> None:
        self.unfit[line] = _unfit(new)
        if old.taints != new.taints:
            self._taint(line, old, there=False)
            self._taint(line, new, there=True)
        self._health(new)
        if old.namespaces != new.namespaces:
            for namespace, without in self._without.items():
                without[line] = new.lacks(namespace)

    def without(self, namespace: str, rows: Sequence[Row]) -> Flags:
        """Find the clusters that are known to lack a namespace."""
        if namespace not in self._without:
            lacking = [row.lacks(namespace) for row in rows]
            self._without[namespace] = np.array(lacking, np.bool_)
        return self._without[namespace]

    def _taint(self, line: int, row: Row, *, there: bool) -> None:
        for taint in row.taints:
            if taint not in self.tainted:
                self.tainted[taint] = np.zeros(self._size, np.bool_)
            self.tainted[taint][line] = there

    def _health(self, row: Row) -> None:
        if row.unhealthy_since is None:
            self.unhealthy.pop(row.name, None)
        else:
            self.unhealthy[row.name] = row.unhealthy_since


def _unfit(row: Row) -> bool:
    return row.deleting or not row.joined
