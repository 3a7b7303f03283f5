"""A tally agrees with a count of the whole cache after any changes, and reads no more than them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.core import ConfigMap
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.kube.cache import Cache
from fleet.kube.tally import Tally


def config(name: str, version: int, colour: str) -> ConfigMap:
    metadata = Metadata(name=name, namespace="ns", resource_version=str(version))
    return ConfigMap(metadata=metadata, data={"colour": colour})


def colour(config: ConfigMap) -> str:
    return config.data["colour"]


CHANGES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["red", "blue", ""])))


@given(changes=CHANGES)
def test_a_tally_is_what_a_count_would_be(changes: list[tuple[str, str]]) -> None:
    cache = Cache(ConfigMap)
    tally = Tally(cache, colour)
    for version, (name, wanted) in enumerate(changes, 1):
        if wanted:
            cache.put(config(name, version, wanted).manifest())
        else:
            cache.remove(Key("ns", name), version=version)
    there = {each.key: colour(each) for each in cache.all()}
    assert tally.values == there
    assert {k: n for k, n in tally.counts.items() if n} == Counter(there.values())


@pytest.mark.parametrize("number", [1, 50])
def test_a_change_of_one_object_reads_that_one_alone(number: int) -> None:
    read: list[str] = []

    def noted(config: ConfigMap) -> str:
        read.append(config.name)
        return colour(config)

    cache = Cache(ConfigMap)
    tally = Tally(cache, noted)
    for index in range(number):
        cache.put(config(f"c{index}", index + 1, "red").manifest())
    read.clear()
    cache.put(config("c0", number + 1, "blue").manifest())
    assert set(read) == {"c0"}
    assert tally.counts == {"red": number - 1, "blue": 1}
