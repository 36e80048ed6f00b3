"""Which impression an event followed from: by its token, else by the last time it was shown."""

from dataclasses import dataclass

import polars as pl

from recsys.online.reading import CLICKS, IMPRESSIONS, Observed
from recsys.types import EventType

_EMAIL = EventType.EMAIL_CLICK.value
_TOUCHED = {"number": IMPRESSIONS["number"], "answer_time": IMPRESSIONS["answer_time"]}


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the events that might have followed from an impression."""

    by_token: int
    by_item: int
    refused_tokens: int
    """Events whose token is not this store's or was changed; they may count by their item."""
    unlogged: int
    """Events with a good token of an answer that is not in the log, or lies outside the time."""
    late: int
    """Events with a good token, later than the window after the answer."""
    unpriced_purchases: int
    """Attributed purchases without a unit price: they bring no revenue."""


def attribute(observed: Observed) -> tuple[pl.DataFrame, Tally]:
    """Attributes each event to at most one impression.

    A good token decides alone: the event followed from that answer, if it came within the window.
    Else the event followed from the last answer within the window that showed its item to its
    customer.

    Returns:
        A row for each event that followed from an impression before `until` (number, item_id,
        event_type, revenue), and the tally of those.
    """
    impressions, events = observed.impressions, observed.events
    told = events.filter(pl.col("request_id").is_not_null()).join(
        impressions.select("request_id", *_TOUCHED), on="request_id", how="left"
    )
    # No lower bound: what has the token came after the answer, whatever the shop's clock says.
    late = pl.col("event_time") - pl.col("answer_time") > observed.window
    reported = pl.col("answer_time") < observed.until
    by_token = told.filter(~late, reported)
    untold = events.filter(pl.col("request_id").is_null())
    by_item = _last_touch(impressions, untold, observed.window).filter(reported)
    columns = ("number", "item_id", "event_type", "revenue")
    attributed = pl.concat([by_token.select(columns), by_item.select(columns)])
    bought = attributed.filter(pl.col("event_type") == EventType.PURCHASE.value)
    tally = Tally(
        by_token=len(by_token),
        by_item=len(by_item),
        refused_tokens=int(untold["has_token"].sum()),
        unlogged=told["number"].null_count(),
        late=len(told.filter(late, reported)),
        unpriced_purchases=bought["revenue"].null_count(),
    )
    return attributed, tally


def outcomes(impressions: pl.DataFrame, attributed: pl.DataFrame) -> pl.DataFrame:
    """Returns the impressions with what followed: clicked and bought (0 or 1) and revenue."""
    clicks = [kind.value for kind in CLICKS]
    followed = attributed.group_by("number").agg(
        clicked=pl.col("event_type").is_in(clicks).any(),
        bought=(pl.col("event_type") == EventType.PURCHASE.value).any(),
        revenue=pl.col("revenue").filter(pl.col("event_type") == EventType.PURCHASE.value).sum(),
    )
    return impressions.join(followed, on="number", how="left", maintain_order="left").with_columns(
        pl.col("clicked", "bought", "revenue").cast(pl.Float64).fill_null(0.0)
    )


def _last_touch(impressions: pl.DataFrame, events: pl.DataFrame, window: int) -> pl.DataFrame:
    """Returns the events, each with the last impression of its item to its customer."""
    followed = events.filter(pl.col("item_id").is_not_null(), pl.col("event_type") != _EMAIL)
    pair = ["customer", "item_id"]
    shown = (
        impressions.lazy()
        .select("customer", *_TOUCHED, item_id=pl.col("item_ids"))
        .explode("item_id", empty_as_null=True)
        .join(followed.lazy().select(pair).unique(), on=pair, how="semi")
        .collect()
        .sort("answer_time", "number")
    )
    return (
        followed.sort("event_time")
        .join_asof(
            shown,
            left_on="event_time",
            right_on="answer_time",
            by=pair,
            strategy="backward",
            tolerance=window,
            check_sortedness=False,
        )
        .drop_nulls("number")
    )
