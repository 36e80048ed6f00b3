"""Finds a date and a time of day that stand in two columns of a file."""

from dataclasses import replace
from itertools import chain

import polars as pl

from recsys.data.event_names import bare
from recsys.data.reading import cells
from recsys.data.reading.guess import EVENT_NAMES, guess_columns
from recsys.data.reading.mapping import EventMapping
from recsys.data.reading.raw import RawTable

_PAIRS = (
    *(
        (f"{what}date", f"{what}time")
        for what in ("", "order", "transaction", "invoice", "sale", "purchase", "event", "receipt")
    ),
    ("datum", "uhrzeit"),
    ("datum", "zeit"),
    ("fecha", "hora"),
    ("data", "hora"),
    ("data", "ora"),
    ("date", "heure"),
    ("날짜", "시간"),
    ("주문일자", "주문시간"),
    ("주문일", "주문시간"),
)
"""What a date and the time of day beside it go by, as `bare` writes it."""

_TIME_OF_DAY = r"^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[AaPp]\.?[Mm]\.?)?$"
_MIDNIGHT = r"[T ]0?0:00(:00(\.0+)?)?Z?$"


def find_time_parts(table: RawTable, mapping: EventMapping) -> tuple[RawTable, tuple[str, ...]]:
    """Returns the columns with date and time of day that make the time of a file's events.

    Columns count only if nothing else is named or more telling, and if the file's first rows have
    a date without a time of day in the one and a time of day alone in the other.

    Args:
        table: as opened.
        mapping: what the retailer says.

    Returns:
        The table, whose first batch may have been read and put back; the two columns, or none.
    """
    named = {*mapping.columns, *mapping.constants}
    form = mapping.time_format
    whole = form is None or "%H" in form or "%I" in form
    if not mapping.guess or mapping.time_parts or "event_time" in named or not whole:
        return table, ()
    pair = _pair(table.columns)
    if pair is None:
        return table, ()
    first = next(table.batches, None)
    if first is None:
        return table, ()
    table = replace(table, batches=chain([first], table.batches))
    return table, pair if _are_parts(first.rows, pair, mapping) else ()


def _pair(columns: tuple[str, ...]) -> tuple[str, str] | None:
    names = {"event_time": EVENT_NAMES["event_time"]}
    guessed = guess_columns(columns, names).get("event_time")
    written = {bare(column): column for column in reversed(columns)}
    for date, time in _PAIRS:
        pair = written.get(date), written.get(time)
        if pair[0] is not None and pair[1] is not None and guessed in pair:
            return pair[0], pair[1]
    return None


def _are_parts(rows: pl.DataFrame, pair: tuple[str, str], mapping: EventMapping) -> bool:
    date, time = (
        rows.select(cells.text(name, rows.schema[name], mapping).cast(pl.String))
        .to_series()
        .drop_nulls()
        for name in pair
    )
    of_day = time.len() > 0 and bool(time.str.contains(_TIME_OF_DAY).all())
    days = date.str.replace(_MIDNIGHT, "")
    return of_day and date.len() > 0 and not bool(days.str.contains(":", literal=True).any())
