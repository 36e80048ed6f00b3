"""Reduced prices: while one holds it is the price, and the usual price is the list price."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from recsys.data.events import TIME
from recsys.data.reading import cells
from recsys.data.reading.checks import Check
from recsys.data.reading.mapping import ItemMapping
from recsys.data.reading.times import parse_times

_SALE, _TEXT = "__sale_price__", "__sale_price_text__"
_PERIOD, _UNREADABLE = "__sale_period__", "__sale_period_unreadable__"


def with_sale_prices(
    table: pl.DataFrame, rows: pl.DataFrame, mapping: ItemMapping, now: datetime
) -> pl.DataFrame:
    """Returns the items with `price` and `list_price` as they are at a time.

    A reduced price counts where it is below the other one and its period, if there is one, has
    begun and not ended.

    Args:
        table: items with our columns, row by row as `rows`.
        rows: as read.
        mapping: names the columns.
        now: the time.
    """
    name = mapping.sale_price
    if name is None or name not in rows.columns:
        return table
    dtype = rows.schema[name]
    sale = rows.select(
        cells.number(name, dtype, mapping).alias(_SALE),
        cells.text(name, dtype, mapping).cast(pl.String).alias(_TEXT),
    )
    start, end, text, unreadable = _period(rows, mapping)
    table = table.with_columns(
        *sale, text.alias(_PERIOD), unreadable.alias(_UNREADABLE), start=start, end=end
    )
    holds = (
        (pl.col(_SALE) >= 0)
        & (pl.col(_SALE) < pl.col("price")).fill_null(value=True)
        & (pl.col("start") <= now).fill_null(value=True)
        & (pl.col("end") > now).fill_null(value=True)
        & ~pl.col(_UNREADABLE)
    ).fill_null(value=False)
    usual = pl.coalesce("list_price", "price")
    return table.with_columns(
        list_price=pl.when(holds).then(usual).otherwise("list_price"),
        price=pl.when(holds).then(_SALE).otherwise("price"),
    ).drop("start", "end")


def sale_checks(columns: Sequence[str]) -> list[Check]:
    """Returns the rules for reduced prices, where the table has some."""
    if _SALE not in columns:
        return []
    sale, text = pl.col(_SALE), pl.col(_TEXT)
    return [
        Check("sale_price", "bad number", sale.is_nan(), text),
        Check("sale_price", "negative price", sale < 0, text),
        Check("sale_period", "bad time", pl.col(_UNREADABLE), pl.col(_PERIOD)),
    ]


def _period(
    rows: pl.DataFrame, mapping: ItemMapping
) -> tuple[pl.Series, pl.Series, pl.Series, pl.Series]:
    """Returns start, end, what the file says, and whether that cannot be read."""
    names = [name for name in mapping.sale_period if name in rows.columns]
    nothing = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    if not names:
        never = pl.repeat(None, len(rows), dtype=TIME, eager=True)
        return never, never, nothing, pl.repeat(value=False, n=len(rows), eager=True)
    texts = [
        rows.select(cells.text(name, rows.schema[name], mapping).alias("t")).to_series()
        for name in names
    ]
    if len(names) == 1:
        parts = texts[0].str.splitn("/", 2).struct.unnest()
        cut = [parts["field_0"].str.strip_chars(), parts["field_1"].str.strip_chars()]
        cut = [part.set(part == "", None) for part in cut]
        start, end = (parse_times(part, mapping).utc for part in cut)
    else:
        cut = texts[:2]
        start, end = (parse_times(rows[name], mapping).utc for name in names[:2])
    unreadable = (cut[0].is_not_null() & start.is_null()) | (cut[1].is_not_null() & end.is_null())
    both = pl.DataFrame(texts, schema=[f"t{n}" for n in range(len(texts))])
    text = both.select(pl.concat_str(pl.all(), separator=" / ", ignore_nulls=True)).to_series()
    return start, end, text, unreadable
