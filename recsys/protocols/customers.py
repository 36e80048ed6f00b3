"""Splits by customer: everybody gives up a part, or some customers are kept out altogether."""

from datetime import datetime

import numpy as np
import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.protocols.clock import Clock
from recsys.protocols.hold_back import Halves, HoldBack
from recsys.protocols.in_memory import canonical, in_memory
from recsys.protocols.sides import split_of
from recsys.types import EVENT_TYPES


def weak(
    dataset: Dataset, hold_back: HoldBack, clock: Clock, cutoff: datetime, *, all_items: bool
) -> Split:
    """Fits on what is kept of everybody, and judges by what is held back.

    Args:
        dataset: events with the clock's times.
        hold_back: parts every customer's events.
        clock: gives the kept events their times anew; with real times each customer is asked for
            at the time of what is held back.
        cutoff: later than all events.
        all_items: lists rank every item of the data set, also those that were only held back, as
            published tables do; otherwise the ones with an event that is kept.

    Raises:
        DataError: nobody has enough events.
    """
    halves = hold_back(dataset.events.collect())
    refuse_nobody(halves)
    train = training_side(dataset, clock.tell(halves.kept), all_items=all_items)
    return split_of(train, halves.held, cutoff, asked_at=asked_at(halves, clock))


def strong(
    dataset: Dataset,
    hold_back: HoldBack,
    clock: Clock,
    cutoff: datetime,
    *,
    all_items: bool,
    share: float = 0.2,
    seed: int = 0,
) -> Split:
    """Fits on some customers and judges by the others (strong generalisation).

    What is kept of the held-out ones comes with their queries (Marlin: Modeling user rating
    profiles for collaborative filtering, NIPS 2003; Liang et al., WWW 2018).

    Args:
        dataset: as in `weak`.
        hold_back: parts the held-out customers' events.
        clock: as in `weak`.
        cutoff: as in `weak`.
        all_items: as in `weak`.
        share: of the customers who can be judged by, held out at random.
        seed: of the draw.

    Raises:
        DataError: nobody has enough events, or nobody is left to fit on.
    """
    events = dataset.events.collect()
    halves = hold_back(events)
    refuse_nobody(halves)
    able = halves.held["customer_id"].unique().sort()
    count = max(1, round(len(able) * share))
    places = np.random.default_rng(seed).permutation(len(able))[:count]
    out = pl.DataFrame({"customer_id": able[np.sort(places).tolist()]})
    rest = events.join(out, on="customer_id", how="anti", maintain_order="left")
    others = halves._replace(
        kept=halves.kept.join(out, on="customer_id", how="semi"),
        held=halves.held.join(out, on="customer_id", how="semi"),
    )
    return held_out(training_side(dataset, rest, all_items=all_items), others, clock, cutoff)


def held_out(train: Dataset, others: Halves, clock: Clock, cutoff: datetime) -> Split:
    """Judges by customers of whom the training side knows nothing.

    Args:
        train: what may be fitted on.
        others: what comes with their queries, and what should be found.
        clock: gives what comes with the queries its times.
        cutoff: later than all events of `train`.
    """
    given = clock.tell(others.kept)
    return split_of(train, others.held, cutoff, given=given, asked_at=asked_at(others, clock))


def training_side(dataset: Dataset, events: pl.DataFrame, *, all_items: bool) -> Dataset:
    """Returns a data set's items and customers with some of its events.

    Args:
        dataset: where items and customers come from.
        events: canonical.
        all_items: keeps every item, otherwise those that the events name.
    """
    items = dataset.items
    if not all_items:
        items = items.join(events, on="item_id", how="semi", maintain_order="left")
    return in_memory(events, items, dataset.customers)


def known_events(split: Split) -> pl.DataFrame:
    """Returns all canonical events before the truth: the training side and what queries bring."""
    train = split.train.events.collect()
    if split.given is None:
        return train
    given = pl.DataFrame(
        {
            "customer_id": split.customers.series().gather(split.given["customer_num"]),
            "item_id": split.items.series().gather(split.given["item_num"]),
            "event_type": [EVENT_TYPES[code].value for code in split.given["code"]],
            "event_time": pl.from_epoch(split.given["time"], "s").dt.replace_time_zone("UTC"),
        }
    )
    given = canonical(given).with_columns(event_id="given/" + pl.col("event_id"))
    return pl.concat([train, given]).sort("event_time", "event_id")


def refuse_nobody(halves: Halves) -> None:
    """Fails where nothing could be held back.

    Raises:
        DataError: always then.
    """
    if halves.held.is_empty():
        message = "no customer has enough events to hold something back and keep something"
        raise DataError(message)


def asked_at(halves: Halves, clock: Clock) -> pl.DataFrame | None:
    """Returns when the customers are asked for: when it happened, where that is known."""
    if clock.made_up or not halves.timed:
        return None
    return halves.held.group_by("customer_id").agg(pl.col("event_time").min())
