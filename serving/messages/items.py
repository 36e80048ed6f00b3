"""From rows of the catalogue to items of the contract."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from recsys.data.events import ITEM_SCHEMA
from recsys.v1.catalog_service_pb2 import Item, MarketOffer

_PLAIN = ("item_id", "group_id", "title", "brand", "price", "list_price", "cost", "available")
_LISTS = ("category", "tags")


def to_item(row: Mapping[str, Any]) -> Item:
    """Returns the item of a catalogue row, by column."""
    plain = {name: row[name] for name in _PLAIN if row[name] is not None}
    lists = {name: row[name] for name in _LISTS if row[name] is not None}
    item = Item(**plain, **lists, markets=[_offer(offer) for offer in row["markets"] or ()])
    if row["created_at"] is not None:
        item.create_time.FromDatetime(row["created_at"])
    for name, value in known_attributes(row.items()):
        item.attributes[name] = value
    return item


def known_attributes(columns: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    """Yields the attributes that have a value, as JSON can say it."""
    for name, value in columns:
        if name in ITEM_SCHEMA or value is None:
            continue
        if isinstance(value, datetime):
            yield name, value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        elif not isinstance(value, float) or isfinite(value):
            yield name, value


def _offer(offer: Mapping[str, Any]) -> MarketOffer:
    known = {name: value for name, value in offer.items() if value is not None}
    return MarketOffer(**known)
