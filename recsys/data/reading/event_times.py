"""Reads the time of events from one column, several to choose from, or parts in several."""

from collections.abc import Sequence

import polars as pl

from recsys.data.reading import cells
from recsys.data.reading.literal import column
from recsys.data.reading.mapping import EventMapping, FileMapping
from recsys.data.reading.times import Times, parse_times


def read_times(rows: pl.DataFrame, columns: Sequence[str], mapping: EventMapping) -> Times:
    """Returns the time of each row.

    Args:
        rows: a batch.
        columns: the parts of a time, where the mapping has `time_parts`; otherwise the first
            column with a value counts, whether it can be read or not.
        mapping: how times are written.
    """
    if columns[0] in mapping.time_parts:
        return parse_times(_joined(rows, columns, mapping), mapping)
    return first_times(rows, columns, mapping)


def first_times(rows: pl.DataFrame, columns: Sequence[str], mapping: FileMapping) -> Times:
    """Returns the time of each row from the first column with a value."""
    times = parse_times(rows[columns[0]], mapping)
    for place, name in enumerate(columns[1:], start=1):
        before = [cells.text(c, rows.schema[c], mapping).is_null() for c in columns[:place]]
        empty = rows.select(pl.all_horizontal(before)).to_series()
        if not empty.any():
            break
        more = parse_times(rows[name], mapping)
        times = Times(more.utc.zip_with(empty, times.utc), more.zoned.zip_with(empty, times.zoned))
    return times


def _joined(rows: pl.DataFrame, columns: Sequence[str], mapping: EventMapping) -> pl.Series:
    """Returns the parts of each time as one text; null where the first part is missing."""
    parts = [
        _part(name, rows.schema[name], mapping, date=place == 0)
        for place, name in enumerate(columns)
    ]
    if len(parts) > 1:
        # A date that an export wrote as a time.
        parts[0] = parts[0].str.replace(r"[T ]0?0:00(:00(\.0+)?)?Z?$", "")
    whole = pl.concat_str(parts, separator=" ", ignore_nulls=True)
    return rows.select(pl.when(parts[0].is_not_null()).then(whole).alias("time")).to_series()


def _part(name: str, dtype: pl.DataType, mapping: EventMapping, *, date: bool) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        # A date, or a time of day, that a spreadsheet or data frame has made a time of.
        part = column(name).dt
        return (part.date() if date else part.time()).cast(pl.String)
    return cells.text(name, dtype, mapping)
