"""Rows of the log as tables of columns."""

from collections.abc import Sequence

import polars as pl

from recsys.data.events import EVENT_SCHEMA, TIME
from recsys.store.database import Row

LOG_SCHEMA: dict[str, pl.DataType] = {"position": pl.Int64(), **EVENT_SCHEMA}
"""An event and where it stands in the log; of a visitor, linked or not, as `visitor/<id>`."""

_STORED = {**LOG_SCHEMA, "event_time": pl.Int64()}


def log_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Returns rows (position, then as `LogEvent`) as `LOG_SCHEMA`."""
    stored = pl.DataFrame(rows, schema=_STORED, orient="row")
    return stored.with_columns(pl.col("event_time").cast(pl.Datetime("us")).cast(TIME))
