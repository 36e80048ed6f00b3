"""Reduced prices: while one holds it is the price, and the usual price is the list price."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from recsys.data.events import TIME
from recsys.data.reading import cells
from recsys.data.reading.checks import Check
from recsys.data.reading.mapping import ItemMapping
from recsys.data.reading.times import parse_times
from recsys.data.reading.value_checks import TWO_WAYS_TIME

_SALE, _TEXT = "__sale_price__", "__sale_price_text__"
_DATE = r"^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\.?|(19|20)\d{6})$"
"""A date without a time of day."""
_TWO_WAYS = r"^\d{1,2}[/-]\d{1,2}[/-](\d{4}|\d{2})\b"
"""Dates of which nobody can tell the day from the month."""
_PERIOD, _UNREADABLE = "__sale_period__", "__sale_period_unreadable__"


def with_sale_prices(
    table: pl.DataFrame, rows: pl.DataFrame, mapping: ItemMapping, now: datetime
) -> pl.DataFrame:
    """Returns the items with `price` and `list_price` as they are at a time.

    A reduced price counts where it is above 0 and below the other one, and its period, if there
    is one, has begun and not ended. An end that is a date is the last day.

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
        (pl.col(_SALE) > 0)
        & pl.col(_SALE).is_finite()
        & (pl.col(_SALE) < pl.col("price")).fill_null(value=True)
        & pl.col("price").is_not_nan().fill_null(value=True)
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
    sale, text, text_of_period = pl.col(_SALE), pl.col(_TEXT), pl.col(_PERIOD)
    return [
        Check("sale_price", "bad number", sale.is_nan(), text),
        Check("sale_price", "negative price", sale < 0, text),
        Check(
            "sale_period",
            TWO_WAYS_TIME,
            pl.col(_UNREADABLE) & text_of_period.str.contains(_TWO_WAYS),
            text_of_period,
        ),
        Check("sale_period", "bad time", pl.col(_UNREADABLE), text_of_period),
    ]


def _period(
    rows: pl.DataFrame, mapping: ItemMapping
) -> tuple[pl.Series, pl.Series, pl.Series, pl.Series]:
    """Returns start, end, what the file says, and whether that cannot be read."""
    names = [name if name in rows.columns else None for name in mapping.sale_period]
    texts = [_text(rows, name, mapping) for name in names]
    if not texts:
        texts = [pl.repeat(None, len(rows), dtype=pl.String, eager=True)]
    if len(texts) == 1:
        parts, slashed = pl.col("t").str.splitn(" / ", 2), pl.col("t").str.splitn("/", 2)
        halves = (
            texts[0]
            .alias("t")
            .to_frame()
            .select(
                *(
                    pl.when(pl.col("t").str.contains(" / ", literal=True))
                    .then(parts.struct.field(half))
                    .otherwise(slashed.struct.field(half))
                    .str.strip_chars()
                    .alias(half)
                    for half in ("field_0", "field_1")
                )
            )
        )
        cut = [half.set(half == "", None) for half in halves]
        start, end = (parse_times(half, mapping).utc for half in cut)
    else:
        cut = texts
        start, end = (_times(rows, name, mapping) for name in names)
    unreadable = (cut[0].is_not_null() & start.is_null()) | (cut[1].is_not_null() & end.is_null())
    last_day = cut[1].str.contains(_DATE) & end.is_not_null()
    next_day = (
        end.dt.convert_time_zone(mapping.zone).dt.offset_by("1d").dt.convert_time_zone("UTC")
    )
    end = next_day.zip_with(last_day.fill_null(value=False), end)
    both = pl.DataFrame(texts, schema=[f"t{n}" for n in range(len(texts))])
    text = both.select(pl.concat_str(pl.all(), separator=" / ", ignore_nulls=True)).to_series()
    return start, end, text.set(text == "", None), unreadable


def _text(rows: pl.DataFrame, name: str | None, mapping: ItemMapping) -> pl.Series:
    if name is None:
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    text = cells.text(name, rows.schema[name], mapping).cast(pl.String)
    return rows.select(text.alias("t")).to_series()


def _times(rows: pl.DataFrame, name: str | None, mapping: ItemMapping) -> pl.Series:
    if name is None:
        return pl.repeat(None, len(rows), dtype=TIME, eager=True)
    return parse_times(rows[name], mapping).utc
