"""Quantities as Kubernetes writes them: 1500m, 16Gi, 2e3."""

import re
from decimal import ROUND_UP, Decimal
from math import nan
from typing import Final, NamedTuple

_POWERS: Final = {
    "": 0,
    "n": -9,
    "u": -6,
    "m": -3,
    **{suffix: 3 * (power + 1) for power, suffix in enumerate("kMGTPE")},
}
_BITS: Final = {f"{suffix}i": 10 * (power + 1) for power, suffix in enumerate("KMGTPE")}
_SUFFIXES: Final = {
    **{suffix: Decimal(10) ** power for suffix, power in _POWERS.items()},
    **{suffix: Decimal(2) ** bits for suffix, bits in _BITS.items()},
}
_TENS: Final = {power: float(f"1e{power}") for power in range(-9, 19)}
_FORM: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([A-Za-z]*))$")
_PLAIN: Final = re.compile(r"(\d{1,15})([numkMGTPE]?|[KMGTPE]i)$")
_BROKEN: Final = re.compile(r"(\d{1,6})\.(\d{1,9})$")
_DIGITS: Final = 15
"""Decimal digits that a binary number keeps apart."""
_INTEGERS: Final = 2**53
"""Whole numbers below it are binary numbers themselves."""
_MOST: Final = Decimal(2**63 - 1)
"""Of a quantity in powers of two."""
_INT64_DIGITS: Final = 18
_NANO: Final = 9
"""Decimal places of the finest quantity."""


class Number(NamedTuple):
    """A quantity, in the forms that are needed of it; `near` is NaN where it is none."""

    text: str
    near: float
    """The binary number next to it: comparisons go by it."""
    shown: float
    """As Go approximates it, at times another in the last digit: scores go by it."""
    exact: bool = True
    """Whether no other exact quantity has the same `near`."""

    @property
    def value(self) -> Decimal:
        """What it is: nothing is finer than a billionth, and the rest counts as one."""
        whole = (parse(self.text) or Decimal(0)).scaleb(_NANO).to_integral_value(ROUND_UP)
        return whole.scaleb(-_NANO)


NOTHING: Final = Number("", nan, nan)


def parse(text: str) -> Decimal | None:
    """Read a quantity; None where it is none."""
    found = _FORM.match(text.strip())
    if not found:
        return None
    number, exponent, suffix = found.groups()
    factor = _SUFFIXES.get(suffix or "")
    if factor is None:
        return None
    value = Decimal(number + (exponent or "")) * factor
    return min(value, _MOST) if suffix in _BITS else value


def number(text: str) -> Number:
    """Read a quantity as a Kubernetes client does; NOTHING where it is none."""
    plain = _PLAIN.match(text)
    if plain is None:
        broken = _BROKEN.match(text)
        return _any(text) if broken is None else _of_parts(text, *broken.groups())
    digits, suffix = plain.groups()
    whole, power = int(digits), _POWERS.get(suffix)
    if power is None:
        product = min(whole << _BITS[suffix], int(_MOST))
        return Number(text, float(product), float(product), product < _INTEGERS)
    near = whole / 10**-power if power < 0 else float(whole * 10**power)
    return Number(text, near, whole * _TENS[power])


def _of_parts(text: str, whole: str, fraction: str) -> Number:
    return Number(text, float(text), int(whole + fraction) * _TENS[-len(fraction)])


def _any(text: str) -> Number:
    found = _FORM.match(text)
    if found is None or parse(text) is None:
        return NOTHING
    value = Number(text, nan, nan).value
    digits = len(value.normalize().as_tuple().digits)
    return Number(text, float(value), _shown(found, value), digits <= _DIGITS)


def _shown(found: re.Match[str], value: Decimal) -> float:
    """Take whole number and power of ten apart as Go does: their product is rounded once more."""
    text, exponent, suffix = found.groups()
    whole, _, fraction = text.lstrip("+-").partition(".")
    power = int(exponent[1:]) if exponent else _POWERS.get(suffix or "", -_NANO)
    scale = power - len(fraction)
    if suffix in _BITS or len(whole + fraction) > _INT64_DIGITS or scale < -_NANO:
        scale = -_NANO
    return float(value.scaleb(-scale)) * (float(f"1e{scale}") if scale else 1.0)
