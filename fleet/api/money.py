"""Money as the API states it."""

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

from fleet.api.schema import MONEY

Money = Annotated[Decimal, PlainSerializer(str, when_used="json"), MONEY]
"""US dollars as a decimal string: there are no floats in a spec."""
