"""Random queries of all kinds over a bundle."""

import numpy as np
import polars as pl

from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId, EventType, ItemId, visitor_key

KINDS = (EventType.VIEW, EventType.CLICK, EventType.ADD_TO_CART, EventType.PURCHASE)
LIMITS = (1, 5, 10, 20, 100, 500)
DAY_S = 86_400


def random_queries(
    recommender: Recommender, count: int, random: np.random.Generator
) -> list[Query]:
    """Returns queries that mix placements, customers, context, events, filters and limits."""
    filters = _filters(recommender)
    return [_query(recommender, filters, random) for _ in range(count)]


def _query(recommender: Recommender, filters: list[str], random: np.random.Generator) -> Query:
    now = recommender.trained_until + int(random.integers(0, 14 * DAY_S))
    return Query(
        placement=str(random.choice(recommender.placements)),
        query_time=now,
        customer_id=_customer(recommender, random),
        limit=int(random.choice(LIMITS, p=[0.1, 0.2, 0.3, 0.3, 0.08, 0.02])),
        context_item_ids=_items(recommender, random, most=3),
        events=tuple(
            RecentEvent(
                item_id, KINDS[random.integers(len(KINDS))], now - int(random.integers(DAY_S))
            )
            for item_id in _items(recommender, random, most=6)
        ),
        filter=str(random.choice(filters)) if random.random() < 0.3 else "",
        exclude_item_ids=_items(recommender, random, most=50),
    )


def _customer(recommender: Recommender, random: np.random.Generator) -> CustomerId | None:
    """Most are known; some are new, some are visitors, some are nobody."""
    customers, drawn = recommender.resolver.customers, random.random()
    if drawn < 0.7:
        return customers.id(int(random.integers(len(customers))))
    if drawn < 0.8:
        return CustomerId(f"new-{random.integers(1_000)}")
    return visitor_key(f"v-{random.integers(1_000)}") if drawn < 0.9 else None


def _items(
    recommender: Recommender, random: np.random.Generator, *, most: int
) -> tuple[ItemId, ...]:
    """Returns none in half of all cases, else some, rarely one that does not exist."""
    if random.random() < 0.5:
        return ()
    items = recommender.catalogue.items
    nums = random.integers(len(items), size=int(random.integers(1, most + 1)))
    gone = (ItemId("gone"),) if random.random() < 0.1 else ()
    return (*(items.id(int(num)) for num in nums), *gone)


def _filters(recommender: Recommender) -> list[str]:
    """Returns filters over the catalogue's own values, from none passing to nearly all."""
    frame = recommender.catalogue.frame
    texts = ["price > 1e9", "title IS NOT NULL", "NOT (price < 0)"]
    for column in [name for name, dtype in frame.schema.items() if dtype == pl.String]:
        values = frame[column].drop_nulls().unique().sort().head(4).to_list()
        quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
        if quoted:
            texts += [f"{column} IN ({quoted})", f"{column} NOT IN ({quoted})"]
    return texts
