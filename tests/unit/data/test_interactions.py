"""Events become training rows: numbered, ordered, returns settled."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recsys.data.events import EVENT_SCHEMA
from recsys.data.interactions import Interactions
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.types import EVENT_TYPES

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = Vocabulary.from_ids(["apple", "bread"])


def events(*rows):
    """Rows of (customer, item, type, hour, quantity), with basket and session where given."""
    table = [
        {
            "customer_id": row[0],
            "item_id": row[1],
            "event_type": row[2],
            "event_time": START + timedelta(hours=row[3]),
            "quantity": float(row[4]),
            "basket_id": row[5] if len(row) > 5 else None,
            "session_id": row[6] if len(row) > 6 else None,
        }
        for row in rows
    ]
    return pl.LazyFrame(table, schema={n: t for n, t in EVENT_SCHEMA.items() if n in table[0]})


def rows_of(log):
    columns = zip(log.customer_nums, log.item_nums, log.event_types, log.times, strict=True)
    start = int(START.timestamp())
    return [
        (log.customers.id(c), log.items.id(i), EVENT_TYPES[e].value, (t - start) / 3600)
        for c, i, e, t in columns
    ]


def test_rows_come_in_time_order_with_unknown_things_left_out():
    log = Interactions.from_events(
        events(
            ("c2", "bread", "purchase", 5, 1),
            ("c1", "apple", "view", 1, 1),
            ("c1", "cheese", "view", 2, 1),
            ("c1", None, "search", 3, 1),
            ("c1", "apple", "petting", 4, 1),
        ),
        items=ITEMS,
    )
    assert rows_of(log) == [("c1", "apple", "view", 1), ("c2", "bread", "purchase", 5)]
    assert log.end_time == int(START.timestamp()) + 5 * 3600 + 1


def test_baskets_else_sessions_else_days_belong_together():
    log = Interactions.from_events(
        events(
            ("c1", "apple", "purchase", 1, 1, "b1", "s1"),
            ("c1", "bread", "purchase", 30, 1, "b1", "s2"),
            ("c1", "apple", "view", 31, 1, None, "s2"),
            ("c1", "bread", "view", 60, 1, None, "s2"),
            ("c1", "apple", "view", 61, 1),
            ("c1", "bread", "view", 62, 1),
            ("c2", "bread", "view", 63, 1),
            ("c1", "bread", "view", 90, 1),
        ),
        items=ITEMS,
    )
    numbers = log.basket_nums.tolist()
    assert numbers[0] == numbers[1]
    assert numbers[2] == numbers[3]
    assert numbers[4] == numbers[5]
    assert len(set(numbers)) == 5


@pytest.mark.parametrize(
    ("history", "left"),
    [
        ([("purchase", 1, 1), ("return", 2, 1)], []),
        ([("purchase", 1, 2), ("return", 2, 1)], [1]),
        ([("purchase", 1, 2), ("return", 2, 1), ("return", 3, 1)], []),
        # The latest purchase is the one that came back.
        ([("purchase", 1, 1), ("purchase", 2, 1), ("return", 3, 1)], [1]),
        ([("purchase", 1, 1), ("purchase", 2, 1), ("return", 3, 5)], []),
        # Nothing to cancel before it: a return takes back no later purchase.
        ([("return", 1, 1), ("purchase", 2, 1)], [2]),
        ([("purchase", 1, 1), ("return", 1, 1)], []),
        ([("purchase", 1, 3), ("purchase", 2, 1), ("return", 3, 2)], [1]),
    ],
)
def test_a_return_takes_back_the_latest_purchase(history, left):
    others = [("c2", "apple", "purchase", 0, 1), ("c1", "bread", "purchase", 0, 1)]
    mine = [("c1", "apple", kind, hour, quantity) for kind, hour, quantity in history]
    log = Interactions.from_events(events(*others, *mine), items=ITEMS)
    found = rows_of(log)
    assert [hour for who, item, _, hour in found if (who, item) == ("c1", "apple")] == left
    assert len(found) == 2 + len(left)
    assert all(kind == "purchase" for _, _, kind, _ in found)


def test_nothing_left_is_an_error():
    with pytest.raises(DataError, match="no event is left"):
        Interactions.from_events(events(("c1", "cheese", "view", 1, 1)), items=ITEMS)


def test_an_event_after_the_end_is_an_error():
    end = int(START.timestamp()) + 3600
    with pytest.raises(DataError, match="2026-01-01T01:00:00"):
        Interactions.from_events(events(("c1", "apple", "view", 1, 1)), items=ITEMS, end_time=end)
