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
    assert quantity.parse(f"{number}{small.upper()}i") == min(number * 1024**power, 2**63 - 1)


@pytest.mark.parametrize(
    ("text", "near", "shown", "exact"),
    [
        ("12", 12.0, 12.0, True),
        ("2300m", 2.3, 2.3000000000000003, True),
        ("1.5", 1.5, 1.5, True),
        ("-2300m", -2.3, -2.3000000000000003, True),
        ("4Gi", 4294967296.0, 4294967296.0, True),
        ("1.5Gi", 1610612736.0, 1610612736.0, True),
        ("17Ei", 2.0**63, 2.0**63, False),
        ("7n", 7e-09, 7.000000000000001e-09, True),
        ("0.1234567891234", 0.12345679, 0.12345679000000001, True),
        ("123456789012345678901", 1.2345678901234568e20, 1.2345678901234568e20, False),
        ("0.1n", 1e-09, 1e-09, True),
        ("9007199254740993", 9007199254740992.0, 9007199254740992.0, False),
        ("3e2", 300.0, 300.0, True),
    ],
)
def test_a_number_is_the_nearest_and_the_one_that_go_shows(
    text: str, near: float, shown: float, exact: bool
) -> None:
    found = quantity.number(text)
    assert (found.near, found.shown, found.exact) == (near, shown, exact)


@pytest.mark.parametrize("text", ["", "many", "1.2.3", " 4"])
def test_a_number_that_is_none_compares_with_nothing(text: str) -> None:
    assert quantity.number(text) is quantity.NOTHING
