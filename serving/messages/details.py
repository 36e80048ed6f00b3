"""The catalogue columns that a request asks to see with each item."""

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.data.catalogue import Catalogue
from recsys.errors import InvalidQueryError
from recsys.v1.recommendation_service_pb2 import ItemDetails
from serving.messages.items import known_attributes
from serving.messages.limits import MAX_ITEM_FIELDS, check_count

_PLAIN = frozenset({"group_id", "title", "brand", "price", "list_price", "cost", "available"})
_LISTS = frozenset({"category", "tags"})
_BY_MARKET = frozenset({"price", "available"})
_NOT_RETURNED = frozenset({"item_id", "markets"})
"""The id is always there; markets are answered through the request's own market."""


class DetailsReader:
    """Reads the columns of one request; checked when made, before any work is done."""

    def __init__(self, catalogue: Catalogue, item_fields: Sequence[str], market: str) -> None:
        """Takes the names as they came.

        Raises:
            InvalidQueryError: too many names, or one that is no column that can be returned.
        """
        check_count(item_fields, "item_fields", MAX_ITEM_FIELDS)
        known = set(catalogue.frame.columns) - _NOT_RETURNED
        for place, name in enumerate(item_fields):
            if name not in known:
                text = (
                    f"{name!r} is not a catalogue column that can be returned; these are "
                    f"{', '.join(sorted(known))}"
                )
                raise InvalidQueryError(f"item_fields[{place}]", text)
        self._catalogue = catalogue
        self._columns = list(dict.fromkeys(item_fields))
        self._market = market if not _BY_MARKET.isdisjoint(self._columns) else ""

    def __bool__(self) -> bool:
        """Says whether any column was asked for."""
        return bool(self._columns)

    def of(self, catalogue: Catalogue) -> "DetailsReader":
        """Returns the reader of another bundle's catalogue; columns that it lacks are left out."""
        if catalogue is self._catalogue:
            return self
        there = [name for name in self._columns if name in catalogue.frame.columns]
        return DetailsReader(catalogue, there, self._market)

    def read(self, item_nums: Sequence[int]) -> list[ItemDetails]:
        """Returns the columns of some items, in their order."""
        return [_details(row) for row in self.rows(item_nums)]

    def rows(self, item_nums: Sequence[int]) -> list[dict[str, Any]]:
        """Returns the columns of some items by name, in the items' order."""
        columns = [*self._columns, "markets"] if self._market else self._columns
        rows = self._catalogue.rows(item_nums, columns)
        return [self._in_market(dict(zip(columns, row, strict=True))) for row in rows]

    def _in_market(self, row: dict[str, Any]) -> dict[str, Any]:
        """Replaces price and availability by those of the request's market, as filters do."""
        if not self._market:
            return row
        offers = row.pop("markets") or ()
        offer = next((each for each in offers if each["market"] == self._market), None)
        in_market = {"price": None, "available": False}
        if offer is not None:
            in_market = {"price": offer["price"], "available": offer["available"] is not False}
        return row | {name: in_market[name] for name in _BY_MARKET & row.keys()}


def _details(row: Mapping[str, Any]) -> ItemDetails:
    plain = {name: value for name, value in row.items() if name in _PLAIN and value is not None}
    lists = {name: value for name, value in row.items() if name in _LISTS and value is not None}
    details = ItemDetails(**plain, **lists)
    created = row.get("created_at")
    if created is not None:
        details.create_time.FromDatetime(created)
    for name, value in known_attributes(row.items()):
        details.attributes[name] = value
    return details
