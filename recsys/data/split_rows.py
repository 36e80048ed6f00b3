"""The rows that both sides of a split are made of: numbered, of known types, returns settled."""

import numpy as np
import polars as pl

from recsys.data.events import event_type_code
from recsys.data.interactions import basket_key, settle_returns
from recsys.data.vocabulary import Vocabulary
from recsys.types import CustomerId, ItemId, NumArray


def settled(events: pl.LazyFrame) -> pl.DataFrame:
    """Returns events of known types that name an item, with returns settled among themselves.

    A return of something bought on the other side of a cut finds no purchase here and just goes:
    what was bought last is returned first, so the sides do not need each other.
    """
    rows = (
        events.filter(pl.col("item_id").is_not_null())
        .select(
            "customer_id",
            "item_id",
            "quantity",
            code=event_type_code(),
            time=pl.col("event_time").dt.epoch("s"),
            basket=basket_key(),
        )
        .filter(pl.col("code").is_not_null())
        .collect()
    )
    return settle_returns(rows)


def numbered(rows: pl.DataFrame, items: Vocabulary[ItemId]) -> pl.DataFrame:
    """Adds `item_num`, `UNKNOWN` for an item outside `items`, and `basket_num`."""
    return rows.with_columns(
        item_num=pl.Series(items.numbers(rows["item_id"])),
        basket_num=pl.col("basket").rank("dense").cast(pl.Int32) - 1,
    )


def of_customers(
    rows: pl.DataFrame, customers: Vocabulary[CustomerId], columns: list[str]
) -> pl.DataFrame:
    """Returns the rows of `customers`, sorted by customer, time, item."""
    found = rows.with_columns(customer_num=pl.Series(customers.numbers(rows["customer_id"])))
    chosen = found.filter(pl.col("customer_num") >= 0).select("customer_num", *columns)
    return chosen.sort("customer_num", "time", "item_num")


def buyers_of(bought: pl.DataFrame, item_count: int) -> NumArray:
    """Returns how many distinct customers bought each item, shape (items,) int32."""
    per_item = bought.group_by("item_num").agg(pl.col("customer_id").n_unique())
    buyers = np.zeros(item_count, dtype=np.int32)
    buyers[per_item["item_num"].to_numpy()] = per_item["customer_id"].to_numpy()
    return buyers
