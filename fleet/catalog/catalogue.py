"""Models, GPU instance types and prices together, as one value that decisions take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Self

from fleet.catalog.presets import ModelPreset, by_name
from fleet.catalog.prices import ON_DEMAND, Prices
from fleet.catalog.skus import Sku
from fleet.catalog.tables import read_presets, read_prices, read_skus


@dataclass(frozen=True, slots=True)
class Catalogue:
    presets: Mapping[str, ModelPreset] = field(default_factory=dict)
    """By every name that they have, in lower case."""
    skus: Mapping[str, Sku] = field(default_factory=dict)
    """By instance type."""
    prices: Prices = field(default_factory=Prices)

    @classmethod
    def of(
        cls,
        presets: Iterable[ModelPreset] = (),
        skus: Iterable[Sku] = (),
        prices: Prices | None = None,
    ) -> Self:
        types = {sku.instance_type: sku for sku in skus}
        return cls(by_name(presets), types, prices or Prices())

    def preset(self, name: str) -> ModelPreset | None:
        """Find a model by its preset's name, an alias, or its repository `org/model`."""
        return self.presets.get(name.lower())

    def sku(self, instance_type: str) -> Sku | None:
        return self.skus.get(instance_type)

    def price(
        self, instance_type: str, region: str, capacity_type: str = ON_DEMAND
    ) -> Decimal | None:
        """US dollars an hour for one instance; None where no price is known."""
        return self.prices.price(instance_type, region, capacity_type)

    def with_prices(self, prices: Prices) -> "Catalogue":
        return replace(self, prices=prices)

    @property
    def preset_names(self) -> tuple[str, ...]:
        """The presets' own names, without aliases."""
        return tuple(sorted({preset.name for preset in self.presets.values()}))


@cache
def load() -> Catalogue:
    """Read the tables that come with the product, once a process."""
    return Catalogue.of(read_presets(), read_skus(), read_prices())
