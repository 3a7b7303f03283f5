"""List prices of GPU instances, by type, region and capacity type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

ON_DEMAND: Final = "on-demand"
SPOT: Final = "spot"

ByRegion = Mapping[str, Decimal]
ByType = Mapping[str, ByRegion]


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars an hour for one instance."""

    by_capacity: Mapping[str, ByType] = field(default_factory=dict)

    def price(
        self, instance_type: str, region: str, capacity_type: str = ON_DEMAND
    ) -> Decimal | None:
        """Look up a price; None where the type is not sold there, as far as is known."""
        return self.by_capacity.get(capacity_type, {}).get(instance_type, {}).get(region)

    def instance_types(self, region: str, capacity_type: str = ON_DEMAND) -> tuple[str, ...]:
        """List the types that a region sells, by name."""
        types = self.by_capacity.get(capacity_type, {})
        return tuple(sorted(name for name, regions in types.items() if region in regions))
