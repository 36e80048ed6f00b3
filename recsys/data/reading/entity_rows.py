"""What items and customers have in common: one row for each id, and attributes beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from recsys.data.reading.attributes import is_nameless, typed_attribute
from recsys.data.reading.mapping import CustomerMapping, ItemMapping
from recsys.data.reading.raw import ROW


@dataclass(frozen=True, slots=True)
class EntityRows:
    """What became of a table's rows."""

    rows: pl.DataFrame
    """Our columns, then attributes; sorted by id, the first row of each id."""
    rejects: pl.DataFrame
    """`BROKEN_SCHEMA`."""


def with_attributes(
    good: pl.DataFrame,
    rows: pl.DataFrame,
    found: Mapping[str, tuple[str, ...]],
    mapping: ItemMapping | CustomerMapping,
) -> pl.DataFrame:
    """Keeps the first row of each id, and puts the file's other columns beside ours.

    A column that has one of our names but is not mapped stays out, and so does one without a name.

    Args:
        good: `ROW`, our id, and our other columns.
        rows: as read, with `ROW`.
        found: our column -> the retailer's columns.
        mapping: says which columns to drop.
    """
    ours = good.columns[1:]
    first = good.unique(ours[0], keep="first", maintain_order=True)
    # What was put together from several columns keeps them as attributes of their own.
    used = {columns[0] for columns in found.values() if len(columns) == 1}
    others = [
        name
        for name in rows.columns
        if name not in {*used, *mapping.drop, *ours, ROW} and not is_nameless(name)
    ]
    attributes = first.select(ROW).join(
        rows.select(ROW, *others), on=ROW, how="left", maintain_order="left"
    )
    typed = [typed_attribute(attributes[name], mapping) for name in others]
    return first.select(ours).hstack(typed).sort(ours[0])
