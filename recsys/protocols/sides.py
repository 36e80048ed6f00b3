"""Puts a split together from its sides, however they were told apart."""

from datetime import datetime

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.split_rows import buyers_of, numbered, of_customers, settled
from recsys.data.splits import PURCHASE, Split, SplitCounts
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.types import CustomerId, ItemId, TimeArray

_PAST = ["item_num", "code", "time"]


def split_of(
    train: Dataset,
    truth: pl.DataFrame,
    cutoff: datetime,
    *,
    given: pl.DataFrame | None = None,
    asked_at: pl.DataFrame | None = None,
) -> Split:
    """Makes a split whose sides are known.

    Args:
        train: all that a fit may see; its items are the ones that lists rank and that count.
        truth: canonical events; purchases of known items are the right answers.
        cutoff: all events of `train` lie before it.
        given: canonical events that nothing is fitted on and that come with the query.
        asked_at: customer_id and event_time, one row a customer; default: all at the cutoff.

    Raises:
        DataError: nobody is left to judge by, or nothing to fit on.
    """
    items: Vocabulary[ItemId] = Vocabulary.from_ids(train.items["item_id"])
    past = numbered(settled(train.events), items).filter(pl.col("item_num") >= 0)
    if past.is_empty():
        message = "the training side has no event that names an item"
        raise DataError(message)
    future = numbered(settled(truth.lazy()), items).filter(pl.col("code") == PURCHASE)
    right = future.filter(pl.col("item_num") >= 0)
    unknown = future.filter(pl.col("item_num") < 0).select("customer_id", "item_id").n_unique()
    customers: Vocabulary[CustomerId] = Vocabulary.from_ids(right["customer_id"])
    if not len(customers):
        message = f"no customer has a right answer: {unknown:,} held-out purchases are of items "
        message += "that the training side does not know"
        raise DataError(message)
    before, brought = of_customers(past, customers, _PAST), None
    if given is not None:
        extra = numbered(settled(given.lazy()), items).filter(pl.col("item_num") >= 0)
        brought = of_customers(extra, customers, _PAST)
        before = pl.concat([before, brought]).sort("customer_num", "time", "item_num")
    bought = past.filter(pl.col("code") == PURCHASE)
    return Split(
        train=train,
        cutoff=cutoff,
        items=items,
        customers=customers,
        before=before,
        after=of_customers(right, customers, ["item_num", "time", "basket_num"]),
        buyers=buyers_of(bought, len(items)),
        train_buyers=bought["customer_id"].n_unique(),
        counts=SplitCounts(0, unknown),
        given=brought,
        query_times=None if asked_at is None else _times(asked_at, customers),
    )


def _times(asked_at: pl.DataFrame, customers: Vocabulary[CustomerId]) -> TimeArray:
    ids = pl.DataFrame({"customer_id": customers.series()})
    found = ids.join(asked_at, on="customer_id", how="left", maintain_order="left")
    return found["event_time"].dt.epoch("s").cast(pl.Int64).to_numpy()
