"""Times for data that have none, so that order and recency can be used but nothing more is said.

Everything lies before one made-up cutoff. Where the order is known, histories are aligned at their
ends: the last step of every customer is equally recent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from recsys.protocols.shapes import Shape

CUTOFF = datetime(2000, 1, 1, tzinfo=UTC)
SEQUENCE_STEP_DAYS = 1
BASKET_STEP_DAYS = 7


def unordered(rows: pl.DataFrame) -> pl.DataFrame:
    """Puts all rows one day before the cutoff: no order and no decay can matter."""
    return rows.with_columns(event_time=pl.lit(CUTOFF - timedelta(days=1)))


def aligned(rows: pl.DataFrame, by: str, step_days: int) -> pl.DataFrame:
    """Puts every customer's last step `step_days` before the cutoff, the one before twice as many.

    Args:
        rows: customer_id and the column `by`, which orders the steps; equal values are one step.
        by: such as `position`, `basket_no` or `event_time`.
        step_days: between two steps.
    """
    steps = pl.col(by).rank("dense", descending=True).over("customer_id").cast(pl.Int64)
    time = pl.lit(CUTOFF) - pl.duration(days=steps * step_days)
    return rows.with_columns(event_time=time.cast(pl.Datetime("us", "UTC")))


def _unchanged(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def _steps_of(step_days: int) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def again(rows: pl.DataFrame) -> pl.DataFrame:
        return aligned(rows, "event_time", step_days).sort("event_time", "event_id")

    return again


@dataclass(frozen=True, slots=True)
class Clock:
    """Gives canonical events their times anew after some were taken away."""

    tell: Callable[[pl.DataFrame], pl.DataFrame]
    made_up: bool = True
    """Whether times only stand for an order, or for nothing at all."""


REAL = Clock(_unchanged, made_up=False)
CLOCKS: Mapping[Shape, Clock] = {
    Shape.PAIRS: Clock(_unchanged),
    Shape.SEQUENCES: Clock(_steps_of(SEQUENCE_STEP_DAYS)),
    Shape.BASKETS: Clock(_steps_of(BASKET_STEP_DAYS)),
    Shape.EVENTS: REAL,
}
