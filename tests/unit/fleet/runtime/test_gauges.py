"""A gauge says what its sources say at the moment when it is asked."""

from collections.abc import Callable
from operator import add

import pytest

from fleet.runtime.gauges import Gauge
from fleet.runtime.metrics import exposition


def lines(name: str) -> list[str]:
    return [line for line in exposition().decode().splitlines() if line.startswith(f"{name}{{")]


def test_a_source_is_asked_at_each_scrape_while_its_block_runs() -> None:
    waiting, gauge = [1, 2], Gauge("test_waiting", "Keys", ("queue",))
    with gauge.asks(lambda: [(("paint",), float(len(waiting)))]):
        assert lines("test_waiting") == ['test_waiting{queue="paint"} 2.0']
        waiting.clear()
        assert lines("test_waiting") == ['test_waiting{queue="paint"} 0.0']
    assert lines("test_waiting") == []


@pytest.mark.parametrize(
    ("name", "merge", "both"), [("sum", add, 7.0), ("max", max, 5.0), ("min", min, 2.0)]
)
def test_what_two_sources_say_of_the_same_is_merged(
    name: str, merge: Callable[[float, float], float], both: float
) -> None:
    gauge = Gauge(f"test_merged_{name}", "Merged", ("kind",), merge)
    with gauge.asks(lambda: [(("a",), 2.0)]), gauge.asks(lambda: [(("a",), 5.0), (("b",), 1.0)]):
        assert gauge.values() == {("a",): both, ("b",): 1.0}


def test_every_program_says_which_version_it_is() -> None:
    (line,) = lines("modelfleet_build_info")
    assert line.endswith("} 1.0")
    assert 'version=""' not in line
