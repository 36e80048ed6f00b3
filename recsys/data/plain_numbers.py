"""Numbers as people write them, in files and on terminals: 0.3 and 12, not 0.30000000000000004."""

from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.types import FloatArray

DIGITS, NARROW_DIGITS = 15, 7
"""Decimal digits that every float64, and every float32, tells apart."""
MONEY_DECIMALS = 6
"""Money is counted in whole millionths."""
_EXACT = 2**53
"""Below it every whole number is a float64."""


def plain(value: float, digits: int = DIGITS) -> float:
    """Returns a number without the digits that arithmetic or a wider type added."""
    return float(f"{value:.{digits}g}")


def money(amount: float) -> float:
    """Returns an amount in whole millionths of the shop's currency."""
    return round(amount, MONEY_DECIMALS)


def widened(values: FloatArray) -> NDArray[np.float64]:
    """Returns float32 numbers as the float64 numbers that are written alike."""
    return pl.Series(values, dtype=pl.Float32).cast(pl.String).cast(pl.Float64).to_numpy()


def amount(value: float) -> str:
    """Returns a number with thousands separated: 1,250.5 and 12."""
    number = plain(value)
    return f"{int(number):,}" if number.is_integer() else f"{number:,}"


def json_value(value: Any) -> Any:  # noqa: ANN401  JSON
    """Returns a value as JSON is to carry it: whole numbers without a fraction, times as text.

    Numbers that JSON cannot carry become null.
    """
    match value:
        case float():
            if not isfinite(value):
                return None
            number = plain(value)
            return int(number) if number.is_integer() and abs(number) < _EXACT else number
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {name: json_value(each) for name, each in value.items()}
        case list() | tuple():
            return [json_value(each) for each in value]
    return value


def csv_table(frame: pl.DataFrame) -> pl.DataFrame:
    """Returns a table whose numbers are text, to be written as CSV."""
    floats = pl.col(pl.Float32, pl.Float64)
    return frame.with_columns(floats.cast(pl.String).str.strip_suffix(".0"))
