"""The next item of a session, step by step, repeats allowed."""

from datetime import datetime

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.interactions import basket_key
from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.protocols.customers import training_side
from recsys.protocols.in_memory import canonical
from recsys.protocols.shapes import Shape
from recsys.protocols.sides import split_of
from recsys.protocols.temporal import last_fifth
from recsys.protocols.timed import end_of
from recsys.types import EventType

NEXT_ITEM = "next-item"
MAX_PAST = 100
"""Steps of a session that come with a query, the latest."""
_STEP = "step"
SESSION_KEY = pl.coalesce("session_id", basket_key())
"""What a session is in a shop's own data: the one it names, else a basket, else a day."""


def next_item(train: Dataset, sessions: pl.DataFrame) -> Split:
    """Makes one case of every step of a session but its first (Hidasi et al., ICLR 2016).

    The query brings what the session did before; its customer is unknown, and called
    `<session>#<step>`.

    Args:
        train: what may be fitted on; its items are ranked.
        sessions: canonical events of other sessions.

    Raises:
        DataError: no session has two steps with items that the training side knows.
    """
    known = sessions.filter(pl.col("item_id").is_not_null()).join(
        train.items, on="item_id", how="semi"
    )
    # Buying what the page shows is no step: the item is the one before.
    stays = (pl.col("item_id") == pl.col("item_id").shift()) & (
        pl.col("event_type") != pl.col("event_type").shift()
    )
    steps = (
        known.with_columns(session=SESSION_KEY)
        .sort("session", "event_time", "event_id")
        .filter(~stays.over("session").fill_null(value=False))
        .with_columns(pl.int_range(pl.len()).over("session").alias(_STEP))
    )
    asked = steps.filter(pl.col(_STEP) > 0)
    if asked.is_empty():
        message = "no session has two events with items that the training side knows"
        raise DataError(message)
    case = pl.format("{}#{}", "session", pl.col(_STEP).cast(pl.String).str.zfill(6))
    truth = asked.with_columns(
        customer_id=case, event_type=pl.lit(EventType.PURCHASE.value)
    ).select(sessions.columns)
    # Rows of a session times its steps: only the few columns that are needed.
    past = steps.select("session", "item_id", "event_type", "event_time", "event_id", at=_STEP)
    given = (
        asked.select("session", _STEP)
        .join(past, on="session")
        .filter((pl.col("at") < pl.col(_STEP)) & (pl.col("at") >= pl.col(_STEP) - MAX_PAST))
        .select(case.alias("customer_id"), "item_id", "event_type", "event_time")
    )
    end = end_of(Shape.EVENTS, [train.events.select("event_time").collect()])
    return split_of(
        train,
        truth,
        end,
        given=canonical(given),
        asked_at=truth.select("customer_id", "event_time"),
    )


def sessions_after(dataset: Dataset, cutoff: datetime, *, all_items: bool) -> Split:
    """Fits on what happened before a moment and judges by the sessions that begin at it or later.

    What a session that began before goes on with is on neither side.

    Args:
        dataset: with real times.
        cutoff: with a time zone.
        all_items: ranks every item of the data set, otherwise those with an event before.

    Raises:
        DataError: one of the sides is empty.
    """
    events = dataset.events.collect()
    began = pl.col("event_time").min().over(SESSION_KEY)
    past = events.filter(pl.col("event_time") < cutoff)
    train = training_side(dataset, past, all_items=all_items)
    return next_item(train, events.filter(began >= cutoff))


def later_sessions(split: Split, *, all_items: bool) -> Split:
    """Repeats the protocol within the training side, by the sessions of its last fifth."""
    return sessions_after(split.train, last_fifth(split.train), all_items=all_items)
