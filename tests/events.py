"""Events as callers send them, good ones and wrong ones, for tests."""

import math
from typing import Any, NamedTuple

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.v1.event_pb2 import Event

NOW_S = 1_704_110_400
"""2024-01-01 12:00 UTC."""
DAY_S = 86_400


def sent_event(event_id: str = "e1", **changes: Any) -> Event:
    """Returns a good event with some fields changed; None takes a field away."""
    values: dict[str, Any] = {
        "event_id": event_id,
        "customer_id": "anna",
        "item_id": "tea",
        "event_type": "view",
        "event_time": at(NOW_S - 60),
    }
    values |= changes
    return Event(**{name: value for name, value in values.items() if value is not None})


def at(seconds: int, nanos: int = 0) -> Timestamp:
    return Timestamp(seconds=seconds, nanos=nanos)


def properties(**values: Any) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


class Wrong(NamedTuple):
    """An event with one wrong field, and what is said about it."""

    title: str
    changes: dict[str, Any]
    field: str
    description: str


_LONG = "must be at most 512 bytes, is"
_CONTROL = "must not contain control characters"
_FUTURE = "must not be more than a day in the future"
_OLD = "must not be before the year 2000"
_KEBAB = "must be a usual name, such as 'add-to-cart', or a word in kebab-case"
_ITEM = "must be given for an event of this type"
_NEITHER = "must be given, or else visitor_id"
_RESERVED = "must not begin with 'visitor/': use visitor_id"
_QUANTITY = "must be a number above 0"
_PRICE = "must be a number of 0 or more"
_JSON = "must not hold NaN or infinity"

WRONG = (
    Wrong("future", {"event_time": at(NOW_S + DAY_S, 1_000)}, "event_time", _FUTURE),
    Wrong("30 years old", {"event_time": at(NOW_S - 30 * 365 * DAY_S)}, "event_time", _OLD),
    Wrong("before 1970", {"event_time": at(-1)}, "event_time", _OLD),
    Wrong("milliseconds", {"event_time": at(NOW_S * 1000)}, "event_time", _FUTURE),
    Wrong("furthest past", {"event_time": at(-(2**63))}, "event_time", _OLD),
    Wrong("furthest future", {"event_time": at(2**63 - 1)}, "event_time", _FUTURE),
    Wrong("no time", {"event_time": None}, "event_time", "must be given"),
    *(
        Wrong(
            f"{nanos} nanoseconds",
            {"event_time": at(NOW_S, nanos)},
            "event_time",
            "must have 0 to 999,999,999 nanoseconds",
        )
        for nanos in (-1, 10**9)
    ),
    *(
        Wrong(f"quantity {number}", {"quantity": number}, "quantity", _QUANTITY)
        for number in (-1.0, 0.0, math.nan, math.inf)
    ),
    *(
        Wrong(f"price {number}", {"unit_price": number}, "unit_price", _PRICE)
        for number in (-0.01, math.nan, math.inf)
    ),
    *(
        Wrong(f"value {number}", {"value": number}, "value", "must be a finite number")
        for number in (math.nan, -math.inf)
    ),
    Wrong("neither id", {"customer_id": None}, "customer_id", _NEITHER),
    Wrong("a visitor's key", {"customer_id": "visitor/1"}, "customer_id", _RESERVED),
    Wrong("a visitor's key alone", {"customer_id": "visitor/"}, "customer_id", _RESERVED),
    Wrong("no type", {"event_type": None}, "event_type", "must be given"),
    *(
        Wrong(f"type {kind!r}", {"event_type": kind}, "event_type", _KEBAB)
        for kind in ("STORE-VISIT", "store_visit", "store visit", "-visit", "visit-")
    ),
    Wrong("long type", {"event_type": "x" * 65}, "event_type", "must be at most 64 bytes, is 65"),
    Wrong("no item", {"item_id": None}, "item_id", f"{_ITEM} (view)"),
    *(
        Wrong(f"{field} of 1 MB", {field: "x" * 10**6}, field, f"{_LONG} 1000000")
        for field in ("event_id", "customer_id", "item_id")
    ),
    *(
        Wrong(f"long {field}", {field: "é" * 257}, field, f"{_LONG} 514")
        for field in ("visitor_id", "session_id", "basket_id", "offer_id", "channel")
    ),
    Wrong("long token", {"attribution_token": "x" * 513}, "attribution_token", f"{_LONG} 513"),
    *(
        Wrong(f"{character!r} in {field}", {field: f"a{character}b"}, field, _CONTROL)
        for field, character in zip(
            (
                "event_id",
                "customer_id",
                "visitor_id",
                "session_id",
                "basket_id",
                "item_id",
                "offer_id",
                "event_type",
                "channel",
                "attribution_token",
            ),
            "\0\n\t\x1e\x1f\x7f\x80\x9f\r\x01",
            strict=True,
        )
    ),
    Wrong("NaN inside", {"properties": properties(a=[{"b": math.nan}])}, "properties", _JSON),
    Wrong("infinity inside", {"properties": properties(a=math.inf)}, "properties", _JSON),
    Wrong(
        "large properties",
        {"properties": properties(a="é" * 9_000)},
        "properties",
        "must be at most 16,384 bytes of JSON",
    ),
)
"""Each differs from a good event in the one field."""
