"""Quantities are read as Kubernetes writes them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.engine import quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("12", "12"),
        ("-3", "-3"),
        ("+3", "3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1500m", "1.5"),
        ("2k", "2000"),
        ("2M", "2000000"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("1Ei", str(2**60)),
        ("3e2", "300"),
        ("3E-2", "0.03"),
        ("1E", "1000000000000000000"),
        ("100n", "0.0000001"),
        ("7u", "0.000007"),
        (" 4 ", "4"),
    ],
)
def test_a_quantity_is_its_number_times_its_suffix(text: str, value: str) -> None:
    assert quantity.parse(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "Gi", "1.2.3", "12 Gi", "1K", "1gi", "v1.36.3", "0x10", "1e", "--1"]
)
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert quantity.parse(text) is None


@given(number=st.integers(-(10**6), 10**6), power=st.integers(1, 6))
def test_the_suffixes_are_powers_of_1000_and_1024(number: int, power: int) -> None:
    small = " kMGTPE"[power]
    assert quantity.parse(f"{number}{small}") == number * 1000**power
    assert quantity.parse(f"{number}{small.upper()}i") == number * 1024**power
