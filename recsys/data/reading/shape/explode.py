"""Makes a row of its own of each of several items that stand in one row."""

from fnmatch import fnmatchcase

import polars as pl

from recsys.data.reading.mapping_parts import Explode

_ROW, _ITEMS = "__exploded_row__", "__items__"


def place_column(settings: Explode) -> str:
    """Returns the name of the column with an item's place in its row, from 0."""
    return f"{settings.name}.#"


def exploded_columns(settings: Explode, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the columns that hold items, in the order of the file."""
    return tuple(
        column
        for column in columns
        if any(fnmatchcase(column, pattern) for pattern in settings.columns)
    )


def explode(rows: pl.DataFrame, settings: Explode) -> pl.DataFrame:
    """Returns one row for each item, with the other columns of its row beside it.

    A row without items stays, once, with nulls in the new columns.

    Args:
        rows: a batch.
        settings: where the items are and how they are written.
    """
    holders = exploded_columns(settings, tuple(rows.columns))
    name, place = settings.name, place_column(settings)
    if not holders:
        return rows.with_columns(pl.lit(0, pl.Int64).alias(place))
    lists = pl.concat_list([_items(rows, holder, settings) for holder in holders])
    table = rows.drop(holders).with_columns(rows.select(lists.alias(_ITEMS)).to_series())
    table = table.with_row_index(_ROW).explode(_ITEMS, empty_as_null=True, keep_nulls=True)
    table = table.with_columns(pl.int_range(pl.len()).over(_ROW).alias(place)).drop(_ROW)
    cells = table[_ITEMS].alias(name)
    if settings.field_separator and cells.dtype == pl.String():
        cells = _packed(cells, settings)
    return table.drop(_ITEMS).hstack(flat(cells, name))


def flat(cells: pl.Series, name: str) -> list[pl.Series]:
    """Returns the leaves of a column of structs as `<name>.<field>`; any other column as it is."""
    if not isinstance(cells.dtype, pl.Struct):
        return [cells.alias(name)]
    return [
        leaf
        for field in cells.dtype.fields
        for leaf in flat(cells.struct.field(field.name), f"{name}.{field.name}")
    ]


def _items(rows: pl.DataFrame, holder: str, settings: Explode) -> pl.Expr:
    """Returns a column as lists of items, without empty ones."""
    dtype = rows.schema[holder]
    items = pl.col(holder)
    if isinstance(dtype, pl.Array):
        items = items.arr.to_list()
    elif not isinstance(dtype, pl.List):
        items = items.cast(pl.String)
        cut = items.str.split(settings.separator) if settings.separator else None
        items = pl.concat_list(items) if cut is None else cut
        items = items.list.eval(pl.element().str.strip_chars())
        wanted = pl.element().is_not_null() & (pl.element() != "")
        return items.list.eval(pl.element().filter(wanted)).fill_null([])
    return items.list.drop_nulls().fill_null([])


def _packed(cells: pl.Series, settings: Explode) -> pl.Series:
    """Reads texts of named fields (`name:Tea|sku:T1`) into a struct of texts."""
    parsed = [None if cell is None else _fields(cell, settings) for cell in cells.to_list()]
    names = {name: pl.String() for fields in parsed if fields for name in fields}
    if not names:
        return cells
    return pl.Series(cells.name, parsed, pl.Struct(names))


def _fields(cell: str, settings: Explode) -> dict[str, str]:
    fields: dict[str, str] = {}
    last = ""
    for part in cell.split(settings.field_separator):
        name, pair, value = part.partition(settings.pair_separator)
        if pair and name.strip():
            last = name.strip()
            fields[last] = value.strip()
        elif last:
            # A separator inside a value: `name:Tea | Milk`.
            fields[last] += settings.field_separator + part
    return fields
