"""Makes a row of its own of each of several items that stand in one row."""

from fnmatch import fnmatchcase

import polars as pl
import polars.selectors as cs
from polars._typing import PolarsDataType

from recsys.data.reading.literal import column
from recsys.data.reading.mapping_parts import Explode
from recsys.errors import DataError

_ROW, _ITEMS = "__exploded_row__", "__items__"


def place_column(settings: Explode) -> str:
    """Returns the name of the column with an item's place in its row, from 0."""
    return f"{settings.name}.#"


def exploded_columns(settings: Explode, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the columns that hold items, in the order of the file."""
    return tuple(
        name
        for name in columns
        if name in settings.columns
        or any(fnmatchcase(name, pattern) for pattern in settings.columns)
    )


def explode(
    rows: pl.DataFrame, settings: Explode, missing: tuple[str, ...] = ("",)
) -> pl.DataFrame:
    """Returns one row for each item, with the other columns of its row beside it.

    A row without items stays, once, with nulls in the new columns.

    Args:
        rows: a batch.
        settings: where the items are and how they are written.
        missing: texts that mean "no value".

    Raises:
        DataError: a new column has the name of one that is there, or some columns hold items with
            fields and others items without.
    """
    holders = exploded_columns(settings, tuple(rows.columns))
    name, place = settings.name, place_column(settings)
    if not holders:
        return rows.with_columns(pl.lit(0, pl.Int64).alias(place))
    _require_one_kind(rows, holders)
    lists = pl.concat_list([_items(rows, holder, settings, missing) for holder in holders])
    table = rows.drop(cs.by_name(*holders)).with_columns(
        rows.select(lists.alias(_ITEMS)).to_series()
    )
    table = table.with_row_index(_ROW).explode(_ITEMS, empty_as_null=True, keep_nulls=True)
    table = table.with_columns(pl.int_range(pl.len()).over(_ROW).alias(place)).drop(_ROW)
    cells = table[_ITEMS].alias(name)
    if settings.field_separator and cells.dtype == pl.String():
        cells = _packed(cells, settings)
    table, new = table.drop(_ITEMS), flat(cells, name)
    for made in (table[place], *new):
        if made.name in rows.columns and made.name not in holders:
            message = (
                f"has a column {made.name!r}, and explode makes one of that name: "
                'say how its columns shall begin: explode.name = "..."'
            )
            raise DataError(message, column=made.name)
    return table.hstack(new)


def flat(cells: pl.Series, name: str) -> list[pl.Series]:
    """Returns the leaves of a column of structs as `<name>.<field>`; any other column as it is."""
    if not isinstance(cells.dtype, pl.Struct):
        return [cells.alias(name)]
    return [
        leaf
        for field in cells.dtype.fields
        for leaf in flat(cells.struct.field(field.name), f"{name}.{field.name}")
    ]


def _require_one_kind(rows: pl.DataFrame, holders: tuple[str, ...]) -> None:
    """Checks that all columns hold items with fields, or all without.

    Raises:
        DataError: some do, others do not.
    """
    kinds = {name: rows.schema[name] for name in holders if rows[name].null_count() < len(rows)}
    inner = {name: _inner(dtype) or dtype for name, dtype in kinds.items()}
    with_fields = [name for name, dtype in inner.items() if isinstance(dtype, pl.Struct)]
    without = [name for name in inner if name not in with_fields]
    if with_fields and without:
        message = (
            f"{', '.join(with_fields)} hold items with fields, {', '.join(without)} hold others: "
            "name only one kind in explode.columns"
        )
        raise DataError(message, column=without[0])


def _items(
    rows: pl.DataFrame, holder: str, settings: Explode, missing: tuple[str, ...]
) -> pl.Expr:
    """Returns a column as lists of items, without empty ones."""
    dtype = rows.schema[holder]
    items = column(holder)
    if isinstance(dtype, pl.Array):
        items = items.arr.to_list()
    elif isinstance(dtype, pl.Struct):
        # One item that was not put into a list.
        items = pl.concat_list(items)
    elif not isinstance(dtype, pl.List):
        items = items.cast(pl.String)
        items = (
            items.str.split(settings.separator) if settings.separator else pl.concat_list(items)
        )
    items = items.list.drop_nulls()
    if not dtype.is_nested() or _inner(dtype) == pl.String():
        items = items.list.eval(pl.element().str.strip_chars())
        items = items.list.eval(pl.element().filter(~pl.element().is_in(list(missing))))
    return items.fill_null([])


def _inner(dtype: pl.DataType) -> PolarsDataType | None:
    """Returns the type of a list's items; None: it is no list."""
    return dtype.inner if isinstance(dtype, pl.List | pl.Array) else None


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
            fields[last] = value
        elif last:
            # A separator inside a value: `name:Tea | Milk`.
            fields[last] += settings.field_separator + part
    return {name: value.strip() for name, value in fields.items()}
