"""What is wrong with numbers and times that could not be read."""

import polars as pl

from recsys.data.reading.checks import Check
from recsys.data.reading.numbers import AMBIGUOUS_NUMBER, ambiguous
from recsys.data.reading.time_texts import DAY_AND_MONTH, TWO_WAYS

TWO_WAYS_TIME = "time in a form that can be read in two ways"
DAY_FIRST = f"{TWO_WAYS_TIME}: the day seems to come first"
MONTH_FIRST = f"{TWO_WAYS_TIME}: the month seems to come first"

_MONTHS = 12


def number_checks(field: str, cell: pl.Expr, written: pl.Expr) -> list[Check]:
    """Returns the rules for a number as `cells.number` reads it.

    Args:
        field: our column.
        cell: the number; NaN or infinite where it could not be read.
        written: what the file says.
    """
    unread = ~cell.is_finite()
    # A setting leaves nothing ambiguous, so what is unread is judged as if there were none.
    unclear = ambiguous(pl.when(unread).then(written), decimal_comma=None)
    return [
        Check(field, AMBIGUOUS_NUMBER, unclear, written),
        Check(field, "bad number", unread, written),
    ]


def time_checks(field: str, cell: pl.Expr, written: pl.Expr) -> list[Check]:
    """Returns the rules for a time as `parse_times` reads it.

    A day above 12 anywhere in the batch shows which part is the day.

    Args:
        field: our column.
        cell: the time; null where there is none, or it could not be read.
        written: what the file says.
    """
    unread = pl.when(cell.is_null()).then(written)
    two_ways = unread.str.contains(TWO_WAYS)
    first, second = (
        (unread.str.extract(DAY_AND_MONTH, part).cast(pl.Int8) > _MONTHS).any() for part in (1, 2)
    )
    return [
        Check(field, DAY_FIRST, two_ways & first & ~second, written),
        Check(field, MONTH_FIRST, two_ways & second & ~first, written),
        Check(field, TWO_WAYS_TIME, two_ways, written),
        Check(field, "bad time", unread.is_not_null(), written),
    ]
