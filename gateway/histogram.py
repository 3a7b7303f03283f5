"""How often values fell between bounds."""

from bisect import bisect_left

from msgspec import Struct

Bounds = tuple[float, ...]


class Histogram(Struct):
    counts: list[int]
    """Below each bound and above the one before; the last is above all."""
    total: float = 0.0

    @classmethod
    def of(cls, bounds: Bounds) -> "Histogram":
        return cls([0] * (len(bounds) + 1))

    def observe(self, value: float, bounds: Bounds) -> None:
        self.counts[bisect_left(bounds, value)] += 1
        self.total += value

    def add(self, other: "Histogram") -> None:
        self.counts = [mine + yours for mine, yours in zip(self.counts, other.counts, strict=True)]
        self.total += other.total
