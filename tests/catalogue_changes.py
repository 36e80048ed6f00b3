"""Changes of a catalogue for tests, and a plain model of what they should do."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from hypothesis import strategies as st

from recsys.store.catalogue import ItemRow, written


class Changes:
    """What a store would hold after changes, one row per item."""

    def __init__(self) -> None:
        self.rows: dict[str, ItemRow] = {}
        self._number = 0

    def upsert(self, item_id: str, *, replaces: bool = True, **columns: Any) -> ItemRow:
        old = self.rows.get(item_id)
        if not replaces and old is not None:
            columns = {**json.loads(old.content), **columns}
            replaces = old.replaces
        return self._put(item_id, columns, replaces=replaces, removed=False)

    def remove(self, item_id: str) -> ItemRow:
        return self._put(item_id, {}, replaces=True, removed=True)

    def _put(
        self, item_id: str, columns: Mapping[str, Any], *, replaces: bool, removed: bool
    ) -> ItemRow:
        self._number += 1
        row = ItemRow(item_id, replaces, removed, written(columns), self._number)
        self.rows[item_id] = row
        return row


def expected_items(bundle: pl.DataFrame, rows: Mapping[str, ItemRow]) -> pl.DataFrame:
    """Returns the items table that a whole import of the changed catalogue would have made."""
    items = {row["item_id"]: row for row in bundle.to_dicts()}
    names = [name for name in bundle.columns if name != "item_id"]
    for item_id, row in rows.items():
        told, old = json.loads(row.content), items.get(item_id)
        if row.removed or (old is None and not row.replaces):
            items.pop(item_id, None)
            continue
        base = dict.fromkeys(names) if old is None or row.replaces else old
        kept = {} if old is None else {"created_at": old["created_at"]}
        merged = {**base, **kept, **told}
        merged["available"] = merged["available"] is not False
        items[item_id] = {"item_id": item_id, **{name: merged[name] for name in names}}
    table = [items[item_id] for item_id in sorted(items)]
    return pl.DataFrame(table, schema=bundle.schema, orient="row")


TEXTS = st.sampled_from(["tea", "coffee", "mild", "Strong brew no. 3", "ü"])
OFFERS = st.fixed_dictionaries(
    {
        "market": st.sampled_from(["de", "fr"]),
        "available": st.sampled_from([True, False, None]),
        "price": st.sampled_from([1.0, 9.5, None]),
    }
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "group_id": st.sampled_from([None, "group-20", "group-21", "group-new"]),
    "title": st.none() | TEXTS,
    "category": st.sampled_from([None, ["Drinks"], ["Drinks", "Tea"], ["Cups", "Small"]]),
    "brand": st.sampled_from([None, "brand-1", "brand-9"]),
    "price": st.sampled_from([None, 0.0, 3.5, 19.99, 250.0]),
    "available": st.booleans(),
    "markets": st.none() | st.lists(OFFERS, max_size=2, unique_by=lambda offer: offer["market"]),
    "tags": st.sampled_from([None, [], ["organic"], ["organic", "new"]]),
    "caffeine": st.sampled_from([None, True, False]),
}
COLUMNS = st.fixed_dictionaries({}, optional=VALUES)
"""Columns of `tests.small_shop`'s items."""
