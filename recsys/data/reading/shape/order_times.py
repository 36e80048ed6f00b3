"""Gives orders a time where a file says only which came after which."""

from datetime import datetime, time

import polars as pl

from recsys.data.reading.mapping_parts import OrderTimes

ORDER_TIME = "order_time"
"""Column that is made; text in ISO 8601 without a zone."""


def with_order_times(orders: pl.DataFrame, settings: OrderTimes) -> pl.DataFrame:
    """Returns the rows with `ORDER_TIME`.

    The last order of each customer lies on the day `settings.last`; each earlier one lies as many
    days before the next as the next one's `days_since_prior` says (one day without that column).
    Rows of one order, as its customer and number say, have one time.

    Args:
        orders: all rows of a table, every cell text.
        settings: which columns say what.
    """
    who, number = settings.customer, pl.col(settings.number).cast(pl.Float64, strict=False)
    gap = pl.lit(1.0)
    if settings.days_since_prior is not None:
        gap = pl.col(settings.days_since_prior).cast(pl.Float64, strict=False).fill_null(0.0)
    hour = pl.lit(0.0)
    if settings.hour is not None:
        hour = pl.col(settings.hour).cast(pl.Float64, strict=False).fill_null(0.0)
    table = orders.select(who=who, number=number, gap=gap, hour=hour)
    first = table.unique(["who", "number"], keep="first", maintain_order=True)
    ordered = first.sort("who", "number", nulls_last=True)
    # The days from an order to the last one are the gaps of the orders after it.
    after = pl.col("gap").shift(-1, fill_value=0.0).reverse().cum_sum().reverse().over("who")
    end = datetime.combine(settings.last, time())
    day = pl.lit(end) - pl.duration(seconds=(after * 86_400).round().cast(pl.Int64))
    at = day + pl.duration(seconds=(pl.col("hour") * 3_600).round().cast(pl.Int64))
    known = pl.col("who").is_not_null() & pl.col("number").is_not_null()
    times = ordered.select(
        "who",
        "number",
        pl.when(known).then(at.dt.strftime("%Y-%m-%d %H:%M:%S")).alias(ORDER_TIME),
    )
    joined = table.join(
        times, on=["who", "number"], how="left", nulls_equal=True, maintain_order="left"
    )
    return orders.with_columns(joined[ORDER_TIME])
