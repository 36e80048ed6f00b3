"""What a report needs of a store, as tables of columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from recsys.live.attribution import Tokens
from recsys.store.impressions import Loss, Noted
from recsys.store.log import Log
from recsys.store.store import Store
from recsys.store.tables import impressions
from recsys.types import VISITOR_PREFIX, EventType

IMPRESSIONS: dict[str, pl.DataType] = {
    "number": pl.Int64(),
    "request_id": pl.Binary(),
    "answer_time": pl.Int64(),
    "subject": pl.String(),
    "customer": pl.String(),
    "placement": pl.String(),
    "bundle_version": pl.String(),
    "experiment": pl.String(),
    "arm": pl.String(),
    "experiment_version": pl.String(),
    "item_ids": pl.List(pl.String()),
}
"""`subject` is who was asked for, null for nobody; `customer` whose figures it counts in: the
customer of a linked visitor, and for nobody each answer its own. Times are in microseconds."""

EVENTS: dict[str, pl.DataType] = {
    "position": pl.Int64(),
    "customer": pl.String(),
    "item_id": pl.String(),
    "event_type": pl.String(),
    "event_time": pl.Int64(),
    "revenue": pl.Float64(),
    "request_id": pl.Binary(),
    "has_token": pl.Boolean(),
}
"""`revenue` is quantity x unit price, null without a price. `request_id` is that of a valid token,
null without one; `has_token` also where the token was refused."""

CLICKS = (EventType.VIEW, EventType.CLICK, EventType.EMAIL_CLICK, EventType.ADD_TO_CART)
"""What shows that somebody followed a list."""
COUNTED = (*CLICKS, EventType.PURCHASE)

_STORED = ("number", "request_id", "answer_time", "customer_id", *list(IMPRESSIONS)[5:])
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What was shown and what happened, of one stretch of time."""

    impressions: pl.DataFrame
    """`IMPRESSIONS`, by answer time."""
    events: pl.DataFrame
    """`EVENTS` of the counted types, by event time."""
    until: int
    """First time, in microseconds, of impressions that are there only as later touches."""
    window: int
    """How long after an impression events may follow from it, in microseconds."""
    losses: list[Loss]
    experiments: list[Noted]


def observe(store: Store, *, since: int, until: int, window: int) -> Observed:
    """Reads a store.

    Impressions are read beyond the end by a window: what came later may have been the last touch
    of an event. Links of visitors count from the beginning.

    Args:
        store: to read.
        since: first time of impressions, in microseconds.
        until: first time after the last impression.
        window: how long after an impression events may follow from it, in microseconds.
    """
    # Events before impressions: whatever an event followed from was logged before it.
    log = Log.of(store)
    visitors = {VISITOR_PREFIX + link.visitor_id: link.customer_id for link in store.links()}
    tokens = Tokens(store.secret)
    parts = [_events(batch, since, until + window, visitors, tokens) for batch in log.batches()]
    events = pl.concat([pl.DataFrame(schema=EVENTS), *parts])
    shown = pl.concat(
        [pl.DataFrame(schema=IMPRESSIONS), *_impressions(store, since, until + window, visitors)]
    )
    with store.read() as session:
        losses = impressions.losses_between(session, since, until)
        noted = impressions.experiments(session)
    return Observed(
        shown.sort("answer_time", "number"),
        events.sort("event_time", "position"),
        until,
        window,
        losses,
        noted,
    )


def _impressions(
    store: Store, since: int, until: int, visitors: Mapping[str, str]
) -> Iterator[pl.DataFrame]:
    with store.read() as session:
        first, last = impressions.numbers_between(session, since, until)
    after = first - 1
    while True:
        with store.read() as session:
            rows = impressions.rows_of(session, _STORED, after, last, _AT_ONCE)
        if not rows:
            return
        after = int(rows[-1][0])
        stored = {**IMPRESSIONS, "customer_id": pl.String(), "item_ids": pl.String()}
        frame = pl.DataFrame(rows, schema={name: stored[name] for name in _STORED}, orient="row")
        yield (
            frame.filter(pl.col("answer_time").is_between(since, until, closed="left"))
            .with_columns(
                pl.col("item_ids").str.json_decode(IMPRESSIONS["item_ids"]),
                subject=pl.col("customer_id"),
                # No customer's id begins with a line break.
                customer=_known_as(pl.col("customer_id"), visitors).fill_null(
                    "\n" + pl.col("request_id").bin.encode("hex")
                ),
            )
            .select(IMPRESSIONS.keys())
        )


def _events(
    batch: pl.DataFrame, since: int, until: int, visitors: Mapping[str, str], tokens: Tokens
) -> pl.DataFrame:
    frame = batch.with_columns(pl.col("event_time").dt.epoch("us")).filter(
        pl.col("event_type").is_in([kind.value for kind in COUNTED]),
        pl.col("event_time").is_between(since, until, closed="left"),
    )
    given = frame["attribution_token"].drop_nulls().unique()
    read = [None if (shown := tokens.read(text)) is None else shown.request_id for text in given]
    known = pl.DataFrame(
        {"attribution_token": given, "request_id": pl.Series(read, dtype=pl.String)}
    ).with_columns(pl.col("request_id").str.decode("hex"))
    return (
        frame.join(known, on="attribution_token", how="left", maintain_order="left")
        .with_columns(
            customer=_known_as(pl.col("customer_id"), visitors),
            revenue=pl.col("quantity") * pl.col("unit_price"),
            has_token=pl.col("attribution_token").is_not_null(),
        )
        .select(EVENTS.keys())
    )


def _known_as(customer_id: pl.Expr, visitors: Mapping[str, str]) -> pl.Expr:
    return customer_id.replace(dict(visitors)) if visitors else customer_id
