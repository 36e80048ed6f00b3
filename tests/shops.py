"""Small data sets, written down as tests need them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.events import CUSTOMER_SCHEMA, EVENT_SCHEMA, ITEM_SCHEMA

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Day 0."""


def day(number: float) -> datetime:
    """Returns the time so many days after the start."""
    return START + timedelta(days=number)


@dataclass(frozen=True)
class Event:
    """One event in short."""

    customer: str
    item: str | None
    day: float
    kind: str = "purchase"
    basket: str | None = None
    quantity: float = 1.0


def event_table(events: Iterable[Event]) -> pl.DataFrame:
    """Returns canonical events, sorted as a prepared data set has them."""
    rows = [
        {
            "event_id": f"e{number}",
            "customer_id": event.customer,
            "basket_id": event.basket,
            "item_id": event.item,
            "event_type": event.kind,
            "event_time": day(event.day),
            "quantity": event.quantity,
        }
        for number, event in enumerate(events)
    ]
    blank = dict.fromkeys(EVENT_SCHEMA)
    table = pl.DataFrame([blank | row for row in rows], schema=EVENT_SCHEMA)
    return table.sort("event_time", "event_id")


def tiny_shop(events: Sequence[Event], created: dict[str, float] | None = None) -> Dataset:
    """Returns a data set with a row for every item that occurs.

    Args:
        events: in any order.
        created: days on which items came into the catalogue; these need no event.
    """
    table, created = event_table(events), created or {}
    ids = sorted({item for item in table["item_id"] if item is not None} | set(created))
    items = [
        dict.fromkeys(ITEM_SCHEMA)
        | {
            "item_id": item,
            "available": True,
            "created_at": day(created[item]) if item in created else None,
        }
        for item in ids
    ]
    return Dataset(
        events=table.lazy(),
        items=pl.DataFrame(items, schema=ITEM_SCHEMA),
        customers=pl.DataFrame(schema=CUSTOMER_SCHEMA),
        digest="0" * 64,
    )
