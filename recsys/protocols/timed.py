"""Rows of files as canonical events: with the times they have, or with those of a clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.events import TIME
from recsys.errors import DataError
from recsys.protocols.clock import (
    BASKET_STEP_DAYS,
    CUTOFF,
    SEQUENCE_STEP_DAYS,
    aligned,
    unordered,
)
from recsys.protocols.files import Table
from recsys.protocols.in_memory import bare_items, canonical, in_memory
from recsys.protocols.shapes import ORDER, Shape
from recsys.types import EventType

_STEP = "step"
_STEP_DAYS = {Shape.SEQUENCES: SEQUENCE_STEP_DAYS, Shape.BASKETS: BASKET_STEP_DAYS}


def timed(shape: Shape, parts: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Returns the canonical events of parts that follow each other: the past of the same people.

    Args:
        shape: of all parts.
        parts: rows of `Table`s, in the order in which they happened.
    """
    rows = pl.concat([part.with_columns(part=pl.lit(number)) for number, part in enumerate(parts)])
    if shape is Shape.PAIRS:
        rows = unordered(rows.unique(maintain_order=True))
    elif shape in _STEP_DAYS:
        order = pl.col(ORDER[shape])
        steps = rows.with_columns(pl.struct("part", order).rank("dense").alias(_STEP))
        rows = aligned(steps, _STEP, _STEP_DAYS[shape]).drop(_STEP)
    if shape is Shape.BASKETS:
        names = pl.format("{}/{}/{}", "customer_id", "part", ORDER[shape])
        rows = rows.with_columns(basket_id=names)
    if shape is Shape.EVENTS:
        rows = rows.with_columns(pl.col("event_type").fill_null(EventType.PURCHASE.value))
    return [canonical(rows.filter(pl.col("part") == number)) for number in range(len(parts))]


def wanted(table: Table, cutoff: datetime) -> pl.DataFrame:
    """Returns what should be found as canonical purchases.

    Of a log of events only the purchases count, if there are any: views beside them are no aim.

    Args:
        table: the rows.
        cutoff: the time of rows that have none.
    """
    rows = table.rows
    if table.shape is Shape.EVENTS:
        bought = rows.filter(pl.col("event_type") == EventType.PURCHASE.value)
        rows = (rows if bought.is_empty() else bought).drop("event_type")
    if "event_time" not in rows.columns:
        rows = rows.with_columns(event_time=pl.lit(cutoff).cast(TIME))
    if table.shape is Shape.BASKETS:
        rows = rows.with_columns(basket_id=pl.format("{}/{}", "customer_id", "basket_no"))
    return canonical(rows)


def end_of(shape: Shape, parts: Sequence[pl.DataFrame]) -> datetime:
    """Returns a moment after all events of some parts: the clock's, or a second after the last.

    Raises:
        DataError: there is no event.
    """
    if shape is not Shape.EVENTS:
        return CUTOFF
    lasts = [part["event_time"].max() for part in parts if len(part)]
    if not lasts:
        message = "the data set has no events to split"
        raise DataError(message)
    last = max(lasts)  # type: ignore[type-var]
    if not isinstance(last, datetime):
        message = f"event times are of type {type(last).__name__}"
        raise TypeError(message)
    return last.replace(microsecond=0) + timedelta(seconds=1)


def log_of(table: Table) -> Dataset:
    """Returns the rows of one file as a data set with every item that occurs."""
    (events,) = timed(table.shape, [table.rows])
    return in_memory(events, bare_items(table.rows["item_id"]))
