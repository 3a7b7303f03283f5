"""Reads the tables under presets/: facts with their source and date, as text until typed here."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
import yaml

from fleet.catalog.presets import ModelPreset
from fleet.catalog.prices import Prices
from fleet.catalog.skus import Sku

# Every scalar stays the text it is: a price never passes through a float.
_Loader: type[yaml.CBaseLoader | yaml.BaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_presets() -> Iterator[ModelPreset]:
    for table in _tables("models"):
        yield from msgspec.convert(table["presets"], list[ModelPreset], strict=False)


def read_skus() -> Iterator[Sku]:
    for provider, types in _read(_root() / "skus.yaml")["skus"].items():
        for instance_type, facts in types.items():
            named = {**facts, "provider": provider, "instance_type": instance_type}
            yield msgspec.convert(named, Sku, strict=False)


def read_prices() -> Prices:
    merged: dict[str, dict[str, dict[str, Decimal]]] = {}
    for table in _tables("prices"):
        prices = msgspec.convert(table["prices"], dict[str, dict[str, dict[str, Decimal]]])
        for capacity_type, types in prices.items():
            merged.setdefault(capacity_type, {}).update(types)
    return Prices(merged)


def _root() -> Traversable:
    return resources.files("presets")


def _tables(folder: str) -> Iterator[Mapping[str, Any]]:
    files = [file for file in (_root() / folder).iterdir() if file.name.endswith(".yaml")]
    return (_read(file) for file in sorted(files, key=lambda file: file.name))


def _read(file: Traversable) -> Mapping[str, Any]:
    loader = _Loader(file.read_bytes())
    try:
        table: Mapping[str, Any] = loader.get_single_data()
    finally:
        loader.dispose()
    return table
