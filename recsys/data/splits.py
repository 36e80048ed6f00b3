"""Cuts a data set in time: what a model may learn from, and what then happened."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.split_rows import buyers_of, numbered, of_customers, settled
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.types import EVENT_CODES, CustomerId, EventType, ItemId, NumArray, TimeArray

PURCHASE = EVENT_CODES[EventType.PURCHASE]
_WITHOUT_TIMES = "hold back by customer (the protocol random)"


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """What the split left out, so that a report can say it."""

    new_customers: int
    """Customers who bought after the cutoff and are not known from before it."""
    unknown_item_pairs: int
    """Distinct (customer, item) purchases after the cutoff of items that are not in `items`."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A data set in two sides. `customers` are those whose lists are judged."""

    train: Dataset
    """Everything a fit may see: events strictly before the cutoff, items known by then."""
    cutoff: datetime
    """The end of the training side; queries are put at it unless they have times of their own."""
    items: Vocabulary[ItemId]
    """The items that can be recommended and that count as truth."""
    customers: Vocabulary[CustomerId]
    """In a temporal split: with an event before the cutoff and a purchase after, of `items`."""
    before: pl.DataFrame
    """Their events before: customer_num, item_num (Int32), code (UInt8), time (Int64, seconds);
    returns are settled."""
    after: pl.DataFrame
    """Their purchases at or after the cutoff: customer_num, item_num, time, basket_num (Int32)."""
    buyers: NumArray
    """Shape (items,) int32: distinct customers who bought the item before the cutoff."""
    train_buyers: int
    """Distinct customers with any purchase of `items` before the cutoff."""
    counts: SplitCounts
    given: pl.DataFrame | None = None
    """Rows of `before` that are not in `train`: nothing is fitted on them, they come with the
    query. None: there are none."""
    query_times: TimeArray | None = None
    """Shape (customers,) int64: when each customer is asked for, Unix seconds; None: at the
    cutoff."""

    @property
    def cutoff_time(self) -> int:
        """Returns the cutoff in Unix seconds, UTC."""
        return int(self.cutoff.timestamp())


def temporal_split(
    dataset: Dataset,
    *,
    cutoff: datetime | None = None,
    test_days: int | None = None,
    min_item_events: int = 0,
) -> Split:
    """Cuts at a moment, or so many whole UTC days before the end of the data.

    An item belongs to the training side if an event before the cutoff names it or its
    `created_at` lies before: that it stands in the catalogue proves nothing, for catalogues are
    of today.

    Args:
        dataset: a prepared data set.
        cutoff: with a time zone; events at it belong to the test side.
        test_days: instead of `cutoff`: days of the test side; the last may be incomplete.
        min_item_events: keeps only items with at least so many purchases before the cutoff
            (returned ones do not count); 0 keeps every known item.

    Raises:
        DataError: one of the sides is empty.
        ValueError: not exactly one of `cutoff` and `test_days` is given, or it is out of range.
    """
    moment = _moment(dataset, cutoff, test_days)
    past = settled(dataset.events.filter(pl.col("event_time") < moment))
    if min_item_events > 0:
        counted = past.filter(pl.col("code") == PURCHASE).group_by("item_id").len()
        known = counted.filter(pl.col("len") >= min_item_events)["item_id"]
        return _split(dataset, moment, Vocabulary.from_ids(known), past)
    return _split(dataset, moment, _known_items(dataset, moment), past)


def known_at(dataset: Dataset, moment: datetime) -> Dataset:
    """Returns a data set as it was known at a moment: events and items of before.

    As for a split's training side, an item belongs to it if an event before the moment names it
    or its `created_at` lies before.
    """
    return _training_side(dataset, moment, _known_items(dataset, moment))


def _known_items(dataset: Dataset, moment: datetime) -> Vocabulary[ItemId]:
    created = dataset.items.filter(pl.col("created_at") < moment)["item_id"]
    named = dataset.before(moment).events.select(pl.col("item_id").drop_nulls().unique())
    return Vocabulary.from_ids(pl.concat([created, named.collect()["item_id"]]))


def split_for(dataset: Dataset, cutoff: datetime, items: Vocabulary[ItemId]) -> Split:
    """Cuts at the moment up to which something was trained, over the items that it knows.

    Raises:
        DataError: one of the sides is empty.
    """
    past = settled(dataset.events.filter(pl.col("event_time") < cutoff))
    return _split(dataset, cutoff, items, past)


def _split(
    dataset: Dataset, cutoff: datetime, items: Vocabulary[ItemId], past: pl.DataFrame
) -> Split:
    past = numbered(past, items).filter(pl.col("item_num") >= 0)
    in_test = dataset.events.filter(pl.col("event_time") >= cutoff)
    future = numbered(settled(in_test), items).filter(pl.col("code") == PURCHASE)
    known_items = future.filter(pl.col("item_num") >= 0)
    unknown = future.filter(pl.col("item_num") < 0).select("customer_id", "item_id").n_unique()
    buying = known_items.select("customer_id").unique()
    customers: Vocabulary[CustomerId] = Vocabulary.from_ids(
        buying.join(past, on="customer_id", how="semi")["customer_id"]
    )
    if not len(customers):
        message = _why_nobody(dataset, cutoff, items, past, buying)
        raise DataError(message, cutoff=cutoff.isoformat())
    bought = past.filter(pl.col("code") == PURCHASE)
    return Split(
        train=_training_side(dataset, cutoff, items),
        cutoff=cutoff,
        items=items,
        customers=customers,
        before=of_customers(past, customers, ["item_num", "code", "time"]),
        after=of_customers(known_items, customers, ["item_num", "time", "basket_num"]),
        buyers=buyers_of(bought, len(items)),
        train_buyers=bought["customer_id"].n_unique(),
        counts=SplitCounts(len(buying) - len(customers), unknown),
    )


def _why_nobody(
    dataset: Dataset,
    cutoff: datetime,
    items: Vocabulary[ItemId],
    past: pl.DataFrame,
    buying: pl.DataFrame,
) -> str:
    """Returns why a cut leaves nobody to judge by, and what to do."""
    moment, times = f"{cutoff:%Y-%m-%d %H:%M} UTC", pl.col("event_time")
    first, last, customers = (
        dataset.events.select(
            first=times.min(), last=times.max(), customers=pl.col("customer_id").count()
        )
        .collect()
        .row(0)
    )
    if first is None:
        return "the data set has no events to split"
    period = f"the data go from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    elsewhere = f"cut between, or {_WITHOUT_TIMES}"
    reasons = (
        (
            not customers,
            "no event names a customer, only visitors: nobody's later purchases can be found",
        ),
        (
            first == last,
            f"all events have one time, {first:%Y-%m-%d %H:%M} UTC: {_WITHOUT_TIMES}",
        ),
        (
            cutoff <= first,
            f"nothing lies before the cut-off {moment}: {period}; {elsewhere}",
        ),
        (
            cutoff > last,
            f"nothing lies after the cut-off {moment}: {period}; {elsewhere}",
        ),
        (
            not len(items),
            f"no item is left before {moment}: lower --min-item-events, or cut later ({period})",
        ),
    )
    nobody = (
        f"no customer has events before {moment} "
        f"({past['customer_id'].n_unique()} have) and purchases after ({len(buying)} have): "
        f"cut elsewhere, or {_WITHOUT_TIMES}"
    )
    return next((text for applies, text in reasons if applies), nobody)


def _moment(dataset: Dataset, cutoff: datetime | None, test_days: int | None) -> datetime:
    if (cutoff is None) == (test_days is None):
        message = "give either cutoff or test_days"
        raise ValueError(message)
    if cutoff is not None:
        return cutoff.astimezone(UTC)
    if test_days is None or test_days < 1:
        message = f"test_days must be at least 1, not {test_days}"
        raise ValueError(message)
    last = dataset.events.select(pl.col("event_time").max()).collect().item()
    if last is None:
        message = "the data set has no events to split"
        raise DataError(message)
    midnight = datetime(last.year, last.month, last.day, tzinfo=UTC)
    return midnight + timedelta(days=1 - test_days)


def _training_side(dataset: Dataset, cutoff: datetime, items: Vocabulary[ItemId]) -> Dataset:
    past = dataset.before(cutoff)
    ids = pl.DataFrame({"item_id": items.series()})
    return replace(
        past,
        events=past.events.filter(
            pl.col("item_id").is_null() | pl.col("item_id").is_in(items.series().implode())
        ),
        items=past.items.join(ids, on="item_id", how="semi", maintain_order="left"),
        digest=hashlib.sha256(f"{past.digest} of {_digest(items)}".encode()).hexdigest(),
    )


def _digest(items: Vocabulary[ItemId]) -> str:
    content = hashlib.sha256()
    for array in items.arrays().values():
        content.update(array.tobytes())
    return content.hexdigest()
