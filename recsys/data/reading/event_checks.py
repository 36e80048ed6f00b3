"""What an event must be like to be kept."""

from datetime import datetime, timedelta

import polars as pl

from recsys.data.reading.checks import Check, id_checks
from recsys.data.reading.value_checks import number_checks, time_checks
from recsys.types import EventType

FUTURE_TOLERANCE = timedelta(days=1)
"""Clocks and zones are wrong by this much in honest data; later events are rejected."""

IDS = ("event_id", "customer_id", "session_id", "basket_id", "item_id", "offer_id")
NUMBERS = ("quantity", "unit_price", "value")
RESERVED = "__reserved__"
"""Boolean column: the retailer's own customer id begins like a visitor's."""

WITHOUT_ITEM = (
    EventType.SEARCH,
    EventType.IMPRESSION,
    EventType.EMAIL_OPEN,
    EventType.EMAIL_CLICK,
    EventType.OFFER_SHOWN,
    EventType.OFFER_REDEEMED,
    EventType.SURVEY,
)
"""Events that need not concern an item."""

_WITH_ITEM = [kind.value for kind in EventType if kind not in WITHOUT_ITEM]


def written(ours: str) -> str:
    """Returns the name of the column with what the file says for one of our columns."""
    return f"__written_{ours}__"


def event_checks(now: datetime) -> list[Check]:
    """Returns every rule that all events must keep, in the order they are looked at."""
    checks = [*_who_and_what(), *_when(now)]
    for ours in IDS:
        checks += id_checks(ours)
    return [*checks, *_how_much()]


def _who_and_what() -> list[Check]:
    customer, kind, item = pl.col("customer_id"), pl.col("event_type"), pl.col("item_id")
    no_item = item.is_null() & kind.is_in(_WITH_ITEM)
    return [
        Check("customer_id", "reserved id (begins with visitor/)", pl.col(RESERVED), customer),
        Check("customer_id", "missing id", customer.is_null(), customer),
        Check("event_type", "missing event type", kind.is_null(), kind),
        Check("item_id", "missing id", no_item, item),
    ]


def _when(now: datetime) -> list[Check]:
    time, told = pl.col("event_time"), pl.col(written("event_time"))
    start = pl.datetime(1970, 1, 1, time_zone="UTC")
    late = pl.lit(now + FUTURE_TOLERANCE)
    return [
        Check("event_time", "missing time", time.is_null() & told.is_null(), told),
        *time_checks("event_time", time, told),
        Check("event_time", "time before 1970", time < start, told),
        Check("event_time", "time in the future", time > late, told),
    ]


def _how_much() -> list[Check]:
    told = {ours: pl.col(written(ours)) for ours in NUMBERS}
    quantity, price = pl.col("quantity"), pl.col("unit_price")
    properties = pl.col("properties")
    no_object = ~properties.str.contains(r"^\{.*\}$")
    return [
        *number_checks("quantity", quantity, told["quantity"]),
        Check("quantity", "zero quantity", quantity == 0, told["quantity"]),
        Check("quantity", "negative quantity", quantity < 0, told["quantity"]),
        *number_checks("unit_price", price, told["unit_price"]),
        Check("unit_price", "negative price", price < 0, told["unit_price"]),
        *number_checks("value", pl.col("value"), told["value"]),
        Check("properties", "not a JSON object", no_object, properties),
    ]
