"""Ways to hold back a part of every customer's own events, to be found again."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.data.interactions import basket_key
from recsys.protocols.shapes import Shape
from recsys.types import EventType

HELD_SHARE = 0.2
"""Of each customer's items, where some are drawn: the share that published splits hold out."""

IS_PURCHASE = pl.col("event_type") == EventType.PURCHASE.value


class Halves(NamedTuple):
    """Canonical events in two; rows that are in neither happened after what is held back."""

    kept: pl.DataFrame
    held: pl.DataFrame
    """Purchases; none of a customer of whom nothing would be kept."""
    timed: bool = True
    """What a customer keeps lies before what is held back."""


HoldBack = Callable[[pl.DataFrame], Halves]
"""Parts canonical events customer by customer."""


def random_share(events: pl.DataFrame, *, share: float = HELD_SHARE, seed: int = 0) -> Halves:
    """Holds back a random share of the distinct items that each customer bought.

    At least one of two items or more, never all. Whatever else the customer did with these items
    is in neither half.
    """
    pair = ["customer_id", "item_id"]
    pairs = events.filter(IS_PURCHASE).select(pair).unique().drop_nulls().sort(pair)
    draw = pl.Series(np.random.default_rng(seed).random(len(pairs)))
    count = pl.len().over("customer_id")
    wanted = pl.min_horizontal((count * share).round().clip(1), count - 1)
    drawn = pairs.with_columns(draw=draw).filter(
        pl.col("draw").rank("ordinal").over("customer_id") <= wanted
    )
    held = events.filter(IS_PURCHASE).join(drawn, on=pair, how="semi")
    kept = events.join(drawn, on=pair, how="anti", maintain_order="left")
    return Halves(kept, _ordered(held), timed=False)


def last_item(events: pl.DataFrame, *, seed: int = 0) -> Halves:
    """Holds back each customer's last purchase; one of those of the same time is drawn."""
    bought = events.filter(IS_PURCHASE & pl.col("item_id").is_not_null())
    bought = bought.sort("customer_id", "event_time", "item_id", "event_id")
    draw = pl.Series(np.random.default_rng(seed).random(len(bought)))
    last = bought.with_columns(draw=draw).sort("customer_id", "event_time", "draw")
    last = last.group_by("customer_id", maintain_order=True).last().drop("draw")
    marks = last.select("customer_id", last_item="item_id", last_time="event_time")
    marked = events.join(marks, on="customer_id", how="left", maintain_order="left")
    before = pl.col("event_time") < pl.col("last_time")
    beside = (pl.col("event_time") == pl.col("last_time")) & pl.col("item_id").ne_missing(
        pl.col("last_item")
    )
    return _halves(events, marked.filter(before | beside).select(events.columns), last)


def last_basket(events: pl.DataFrame) -> Halves:
    """Holds back each customer's last basket; what the customer did since it began goes."""
    keyed = events.with_columns(basket=basket_key())
    bought = keyed.filter(IS_PURCHASE)
    began = bought.group_by("customer_id", "basket").agg(pl.col("event_time").min())
    marks = (
        began.sort("customer_id", "event_time", "basket")
        .group_by("customer_id", maintain_order=True)
        .last()
        .rename({"basket": "last_basket", "event_time": "last_time"})
    )
    marked = keyed.join(marks, on="customer_id", how="left", maintain_order="left")
    kept = marked.filter(pl.col("event_time") < pl.col("last_time")).select(events.columns)
    held = marked.filter(IS_PURCHASE & (pl.col("basket") == pl.col("last_basket")))
    return _halves(events, kept, held.select(events.columns))


def hold_back_of(shape: Shape, seed: int, *, log_by_time: bool = True) -> HoldBack:
    """Returns what is usually held back of data of a shape.

    Args:
        shape: of the data.
        seed: of the draws.
        log_by_time: of a log of events, the last basket; otherwise items bought at any time.
    """
    match shape:
        case Shape.SEQUENCES:
            return partial(last_item, seed=seed)
        case Shape.BASKETS:
            return last_basket
        case Shape.EVENTS if log_by_time:
            return last_basket
        case _:
            return partial(random_share, share=HELD_SHARE, seed=seed)


def _halves(events: pl.DataFrame, kept: pl.DataFrame, held: pl.DataFrame) -> Halves:
    """Keeps whole those customers of whom nothing would be left or nothing is held back."""
    named = kept.filter(pl.col("item_id").is_not_null())
    parted = held.join(named, on="customer_id", how="semi")
    whole = events.join(parted, on="customer_id", how="anti")
    part = kept.join(parted, on="customer_id", how="semi")
    return Halves(_ordered(pl.concat([whole, part])), _ordered(parted.select(events.columns)))


def _ordered(events: pl.DataFrame) -> pl.DataFrame:
    return events.sort("event_time", "event_id")
