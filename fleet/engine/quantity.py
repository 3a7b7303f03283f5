"""Quantities as Kubernetes writes them: 1500m, 16Gi, 2e3."""

import re
from decimal import Decimal
from typing import Final

_SUFFIXES: Final = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** (power + 1) for power, suffix in enumerate("kMGTPE")},
    **{f"{suffix}i": Decimal(1024) ** (power + 1) for power, suffix in enumerate("KMGTPE")},
}
_FORM: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([A-Za-z]*))$")


def parse(text: str) -> Decimal | None:
    """Read a quantity; None where it is none."""
    found = _FORM.match(text.strip())
    if not found:
        return None
    number, exponent, suffix = found.groups()
    factor = _SUFFIXES.get(suffix or "")
    return None if factor is None else Decimal(number + (exponent or "")) * factor
