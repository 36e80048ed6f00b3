"""Data sets made of a few columns in memory, with all that a fit expects of a prepared one."""

import hashlib

import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.events import CUSTOMER_SCHEMA, EVENT_SCHEMA, ITEM_SCHEMA
from recsys.types import EventType


def canonical(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns rows as canonical events (`EVENT_SCHEMA`), sorted by time.

    Args:
        rows: customer_id, item_id and event_time, and any other columns of the schema; what is
            missing is a purchase of one unit.
    """
    usual = {"event_type": pl.lit(EventType.PURCHASE.value), "quantity": pl.lit(1.0)}
    columns = [
        (pl.col(name) if name in rows.columns else usual.get(name, pl.lit(None)))
        .cast(dtype)
        .alias(name)
        for name, dtype in EVENT_SCHEMA.items()
    ]
    events = rows.select(columns).sort("event_time", "customer_id", "item_id", "event_type")
    if "event_id" in rows.columns:
        return events.sort("event_time", "event_id")
    numbers = pl.int_range(pl.len()).cast(pl.String).str.zfill(12)
    return events.with_columns(event_id=numbers)


def in_memory(
    events: pl.DataFrame, items: pl.DataFrame, customers: pl.DataFrame | None = None
) -> Dataset:
    """Returns canonical events as a data set; the digest covers who did what when, and the items.

    Args:
        events: `EVENT_SCHEMA`.
        items: `ITEM_SCHEMA` and attributes: what can be recommended.
        customers: `CUSTOMER_SCHEMA` and attributes; none where they are not known.
    """
    if customers is None:
        customers = pl.DataFrame(schema=CUSTOMER_SCHEMA)
    told = ["event_time", "customer_id", "item_id", "event_type", "basket_id", "session_id"]
    content = hashlib.sha256(events.select(told).sort(told).write_csv().encode())
    content.update(items.select(pl.col("item_id").sort()).write_csv().encode())
    return Dataset(events.lazy(), items.sort("item_id"), customers, content.hexdigest())


def bare_items(item_ids: pl.Series) -> pl.DataFrame:
    """Returns a catalogue that knows of items only that they exist."""
    nothing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in ITEM_SCHEMA.items()
        if name not in ("item_id", "available")
    ]
    ids = pl.DataFrame({"item_id": item_ids.cast(pl.String).drop_nulls().unique().sort()})
    return ids.with_columns(*nothing, available=True).select(list(ITEM_SCHEMA))
