"""Gives orders a time where a file says only which came after which."""

from datetime import datetime, time

import polars as pl

from recsys.data.reading.literal import column
from recsys.data.reading.mapping_parts import OrderTimes

ORDER_TIME = "order_time"
"""Column that is made; text in ISO 8601 without a zone."""

_LARGEST = 1e15
"""Numbers from this size on are none."""
_LONGEST = 1e5
"""Orders so many days before the last one, or with as many in their hours, have no time."""


def with_order_times(orders: pl.DataFrame, settings: OrderTimes) -> pl.DataFrame:
    """Returns the rows with `ORDER_TIME`.

    The last order of each customer lies on the day `settings.last`; each earlier one lies as many
    days before the next as the next one's `days_since_prior` says (one day without that column).
    Rows of one order, as its customer and number say, have one time.

    Args:
        orders: all rows of a table, every cell text.
        settings: which columns say what.
    """
    table = orders.select(
        column(settings.customer).alias("who"),
        _number(settings.number, None).alias("number"),
        _number(settings.days_since_prior, 1.0).alias("gap"),
        _number(settings.hour, 0.0).alias("hour"),
    )
    known = table.drop_nulls(["who", "number"])
    first = known.unique(["who", "number"], keep="first", maintain_order=True)
    ordered = first.sort("who", "number")
    # The days from an order to the last one are the gaps of the orders after it.
    after = pl.col("gap").shift(-1, fill_value=0.0).reverse().cum_sum().reverse().over("who")
    end = datetime.combine(settings.last, time())
    seconds = (pl.col("hour") * 3_600 - after * 86_400).round().cast(pl.Int64, strict=False)
    times = ordered.select(
        "who",
        "number",
        pl.when((after < _LONGEST) & (pl.col("hour").abs() < 24 * _LONGEST))
        .then((pl.lit(end) + pl.duration(seconds=seconds)).dt.strftime("%Y-%m-%d %H:%M:%S"))
        .alias(ORDER_TIME),
    )
    joined = table.join(times, on=["who", "number"], how="left", maintain_order="left")
    return orders.with_columns(joined[ORDER_TIME])


def _number(name: str | None, otherwise: float | None) -> pl.Expr:
    """Returns a column's numbers; `otherwise` without the column, 0 where a cell is none.

    The order's own number, which has no `otherwise`, is null there.
    """
    if name is None:
        return pl.lit(otherwise, pl.Float64)
    cell = column(name).str.strip_chars().cast(pl.Float64, strict=False)
    number = pl.when(cell.abs() < _LARGEST).then(cell)
    return number if otherwise is None else number.fill_null(0.0)
