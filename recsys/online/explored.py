"""What was drawn for explored places and what followed: a log for off-policy estimates."""

from collections.abc import Iterator

import polars as pl

from recsys.data.plain_numbers import MONEY_DECIMALS
from recsys.online.attribute import attribute
from recsys.online.reading import CLICKS, observe
from recsys.store.store import Store
from recsys.store.tables import impressions
from recsys.types import EventType

EXPLORED: dict[str, pl.DataType] = {
    "request_id": pl.String(),
    "customer_id": pl.String(),
    "placement": pl.String(),
    "bundle_version": pl.String(),
    "experiment": pl.String(),
    "arm": pl.String(),
    "position": pl.Int64(),
    "item_id": pl.String(),
    "propensity": pl.Float64(),
    "click": pl.Float64(),
    "purchase": pl.Float64(),
    "revenue": pl.Float64(),
}
"""A row for each place that was drawn. `customer_id` is the customer of a linked visitor, and for
nobody in particular the request's id. Rewards are of the drawn item alone: `click` and `purchase`
are 0 or 1, `revenue` what its purchases brought."""

_DRAWN = {"number": pl.Int64(), "position": pl.Int64(), "propensity": pl.Float64()}
_AT_ONCE = 50_000


def explored(store: Store, *, since: int, until: int, window: int) -> pl.DataFrame:
    """Returns every drawn place with its propensity and its rewards (`EXPLORED`), by time.

    Args:
        store: with impressions and events.
        since: first time of impressions, in microseconds.
        until: first time after the last impression.
        window: how long after an impression events may follow from it, in microseconds.
    """
    observed = observe(store, since=since, until=until, window=window)
    attributed, _ = attribute(observed)
    clicks, purchase = [kind.value for kind in CLICKS], EventType.PURCHASE.value
    bought = pl.col("event_type") == purchase
    followed = attributed.group_by("number", "item_id").agg(
        click=pl.col("event_type").is_in(clicks).any(),
        purchase=bought.any(),
        revenue=pl.col("revenue").filter(bought).sum(),
    )
    drawn = pl.concat([pl.DataFrame(schema=_DRAWN), *_drawn(store, since, until)])
    rewards = ("click", "purchase", "revenue")
    return (
        observed.impressions.filter(pl.col("answer_time") < until)
        .join(drawn, on="number", maintain_order="left")
        .with_columns(item_id=pl.col("item_ids").list.get(pl.col("position") - 1))
        .join(followed, on=["number", "item_id"], how="left", maintain_order="left")
        .with_columns(
            pl.col(rewards).cast(pl.Float64).fill_null(0.0).round(MONEY_DECIMALS),
            request_id=pl.col("request_id").bin.encode("hex"),
            customer_id=pl.col("customer").str.strip_prefix("\n"),
        )
        .select(EXPLORED.keys())
    )


def _drawn(store: Store, since: int, until: int) -> Iterator[pl.DataFrame]:
    """Yields the places that were drawn, by the number of their impression."""
    with store.read() as session:
        first, last = impressions.numbers_between(session, since, until)
    after = first - 1
    columns = ("number", "explored_rank", "propensity")
    while True:
        with store.read() as session:
            rows = impressions.rows_of(session, columns, after, last, _AT_ONCE)
        if not rows:
            return
        after = int(rows[-1][0])
        yield pl.DataFrame(rows, schema=_DRAWN, orient="row").drop_nulls()
