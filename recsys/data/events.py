"""The canonical tables: the columns every reader produces and everything else reads."""

import polars as pl

from recsys.types import EVENT_CODES

TIME = pl.Datetime("us", "UTC")

EVENT_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "customer_id": pl.String(),
    "session_id": pl.String(),
    "basket_id": pl.String(),
    "item_id": pl.String(),
    "offer_id": pl.String(),
    "event_type": pl.String(),
    "event_time": TIME,
    "quantity": pl.Float64(),
    "unit_price": pl.Float64(),
    "channel": pl.String(),
    "attribution_token": pl.String(),
    "value": pl.Float64(),
    "properties": pl.String(),
}
"""One row per event. `customer_id` holds `visitor/<id>` for visitors; `properties` is JSON text.

`event_type`, `event_time` and `customer_id` are never null. `quantity` counts units (never null,
1 by default, positive: a return is its own event type), `unit_price` is in the shop's currency.
"""

MARKET = pl.Struct({"market": pl.String(), "available": pl.Boolean(), "price": pl.Float64()})

ITEM_SCHEMA: dict[str, pl.DataType] = {
    "item_id": pl.String(),
    "group_id": pl.String(),
    "title": pl.String(),
    "category": pl.List(pl.String()),
    "brand": pl.String(),
    "price": pl.Float64(),
    "list_price": pl.Float64(),
    "cost": pl.Float64(),
    "available": pl.Boolean(),
    "markets": pl.List(MARKET),
    "created_at": TIME,
    "tags": pl.List(pl.String()),
}
"""One row per item; further columns are attributes. `category` is a path, widest first.

`item_id` and `available` are never null (`available` is true by default). Attribute columns have
one of the types String, Boolean, Int64, Float64, `TIME` or List(String).
"""

CUSTOMER_SCHEMA: dict[str, pl.DataType] = {"customer_id": pl.String()}
"""One row per customer; all further columns are attributes, of the types of item attributes."""


def event_type_code() -> pl.Expr:
    """Returns the storage code of `event_type` as UInt8, null for a type that no model knows."""
    names = {kind.value: code for kind, code in EVENT_CODES.items()}
    return pl.col("event_type").replace_strict(names, default=None, return_dtype=pl.UInt8)
