"""What items and customers have in common: one row for each id, and attributes beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from recsys.data.reading.attributes import is_nameless, typed_attribute
from recsys.data.reading.mapping import CustomerMapping, ItemMapping
from recsys.data.reading.raw import ROW
from recsys.data.reading.shape.explode import place_column

PLACE = "__place__"
"""Column with a row's place in the table as read, from 0."""


@dataclass(frozen=True, slots=True)
class EntityRows:
    """What became of a table's rows."""

    rows: pl.DataFrame
    """Our columns, then attributes; sorted by id, the first row of each id."""
    rejects: pl.DataFrame
    """`BROKEN_SCHEMA`."""
    notes: tuple[str, ...] = ()
    """What a person should hear about how values were understood."""
    effects: Mapping[str, int] = field(default_factory=dict)
    """Setting of the mapping -> rows that it had an effect on."""


def with_attributes(
    good: pl.DataFrame,
    rows: pl.DataFrame,
    sources: Mapping[str, tuple[str, ...]],
    mapping: ItemMapping | CustomerMapping,
) -> pl.DataFrame:
    """Keeps the first row of each id, and puts the file's other columns beside ours.

    A column that has one of our names but is not mapped stays out, and so does one without a name.

    Args:
        good: `PLACE`, our id, and our other columns.
        rows: as read, with `ROW`.
        sources: our column -> the retailer's columns.
        mapping: says which columns become attributes.
    """
    ours = good.columns[1:]
    kept = good.unique(ours[0], keep="first", maintain_order=True)
    others = _attributes(rows.columns, ours, sources, mapping)
    attributes = rows[kept[PLACE]]
    typed = [typed_attribute(attributes[name], mapping) for name in others]
    stock = sources.get("available", ())
    # A stock is worth more than whether there is one; a word for it is not.
    typed = [column for column in typed if column.name not in stock or column.dtype.is_numeric()]
    return kept.select(ours).hstack(_flat_names(typed, kept.columns)).sort(ours[0])


def _flat_names(attributes: Sequence[pl.Series], taken: Sequence[str]) -> list[pl.Series]:
    """Returns attributes whose names filters can use: a path `size.width` becomes `size_width`."""
    names = {*taken, *(column.name for column in attributes)}
    renamed = []
    for column in attributes:
        flat = column.name.replace(".", "_")
        renamed.append(column if flat in names else column.alias(flat))
        names.add(flat)
    return renamed


def _attributes(
    columns: Sequence[str],
    ours: Sequence[str],
    sources: Mapping[str, tuple[str, ...]],
    mapping: ItemMapping | CustomerMapping,
) -> list[str]:
    if mapping.attributes is not None:
        return [name for name in columns if name in mapping.attributes and name not in ours]
    # What was put together from several columns keeps them as attributes of their own, and a
    # stock is worth more than whether there is one.
    used = {
        theirs[0] for name, theirs in sources.items() if len(theirs) == 1 and name != "available"
    }
    place = () if mapping.explode is None else (place_column(mapping.explode),)
    out = {*used, *mapping.drop, *ours, *place, ROW}
    # An object's fields say all that its JSON text does.
    out |= {name for name in columns if any(other.startswith(f"{name}.") for other in columns)}
    return [name for name in columns if name not in out and not is_nameless(name)]
