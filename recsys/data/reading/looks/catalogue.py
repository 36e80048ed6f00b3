"""Looks at which items may be shown."""

from collections.abc import Iterator

import polars as pl

from recsys.data.event_names import bare
from recsys.data.events import ITEM_SCHEMA
from recsys.data.reading.guess import ITEM_NAMES
from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, listed, note, of, toml_text, warning

_STOCK = (*ITEM_NAMES["available"], "quantity", "qty", "units")
_FEWEST = 20


def availability(evidence: Evidence) -> Iterator[Look]:
    """Looks for catalogues that show nothing, everything, or what is out of stock."""
    items = evidence.items
    if items is None or items.is_empty():
        return
    shown = int(items["available"].sum())
    column = evidence.watch.source("items", "available")
    if shown == 0:
        yield warning(
            "no-item-is-available",
            "items",
            f"none of {len(items):,} items may be shown"
            + (f": {column!r} says no of all" if column else ""),
            "name another column, or leave it out: without one every item may be shown",
            '[items.columns]\navailable = "..."',
        )
        return
    if column is not None and shown == len(items) >= _FEWEST:
        yield note(
            "every-item-is-available",
            "items",
            f"{column!r} says of all {len(items):,} items that they may be shown",
            "right if no item is ever out of stock; else name the column with the stock",
        )
    settings = evidence.mapping.items
    if not (settings.available_when or settings.optional):
        # Else there may be items whose stock does not matter (back-orders, what is not counted),
        # and a profile knows its columns.
        yield from _stock(items)


def _stock(items: pl.DataFrame) -> Iterator[Look]:
    """Looks for items that may be shown while a column says that none is there."""
    for name in items.columns[len(ITEM_SCHEMA) :]:
        if bare(name) not in _STOCK or not items.schema[name].is_numeric():
            continue
        gone = items.filter(pl.col("available") & (pl.col(name) <= 0)).height
        # A column that is 0 everywhere counts something else, or nothing.
        if gone and items.filter(pl.col(name) > 0).height:
            yield warning(
                "available-without-stock",
                "items",
                f"{of(gone, len(items))} items may be shown while {name!r} is 0",
                f"if {name!r} is the stock, it says what is available",
                f"[items.columns]\navailable = {toml_text(name)}",
            )


def empty_columns(evidence: Evidence) -> Iterator[Look]:
    """Looks for columns of items that come from the file and hold nothing."""
    items, watched = evidence.items, evidence.watch.tables.get("items")
    if items is None or items.is_empty() or watched is None:
        return
    optional = evidence.mapping.items.optional
    for ours in ("title", "category", "price", "brand"):
        sources = watched.sources.get(ours, ())
        # What a profile names is in every export of its kind, filled or not.
        named = any(column not in optional for column in sources)
        if named and items[ours].null_count() == len(items):
            yield warning(
                "column-is-empty",
                "items",
                f"{ours} is empty in all {len(items):,} items, although it comes from "
                f"{listed(watched.sources[ours])}",
                "name another column",
                f'[items.columns]\n{ours} = "..."',
            )
