"""Turns lists of keys and values, as analytics exports have them, into columns."""

from collections.abc import Iterable

import polars as pl
from polars._typing import PolarsDataType

from recsys.data.reading.literal import column as named

_KEYS = ("key", "name", "k")
_VALUES = ("value", "val", "v")
_MAX_KEYS = 200
"""More keys than this are an object's ids, not names of fields."""


def keys_of(column: pl.Series) -> tuple[str, ...]:
    """Returns the keys that stand in a column of lists of keys and values, most frequent first."""
    key = _key_field(column.dtype)
    if key is None:
        return ()
    names = column.explode(empty_as_null=False, keep_nulls=False).struct.field(key)
    counts = names.drop_nulls().cast(pl.String).value_counts(sort=True)
    return tuple(counts.to_series().head(_MAX_KEYS).to_list())


def with_keys(rows: pl.DataFrame, column: str, keys: Iterable[str]) -> pl.DataFrame:
    """Returns the rows with a column `<column>.<key>` of text for each key.

    Args:
        rows: a batch.
        column: lists of structs with a field `key` (or `name`); the value is the field `value`, or
            where there is none the first other one with a value; of a value that is a struct
            itself, the first of its fields that has one.
        keys: the keys that are wanted; of a key that stands twice, the first counts.
    """
    dtype = rows.schema.get(column)
    key = None if dtype is None else _key_field(dtype)
    if key is None or not isinstance(dtype, pl.List) or not isinstance(dtype.inner, pl.Struct):
        return rows.with_columns(pl.lit(None, pl.String).alias(f"{column}.{k}") for k in keys)
    value = _value(dtype.inner, key)
    pair = pl.element().struct
    return rows.with_columns(
        named(column)
        .list.eval(value.filter(pair.field(key).cast(pl.String) == wanted).drop_nulls())
        .list.first()
        .alias(f"{column}.{wanted}")
        for wanted in keys
    )


def _key_field(dtype: pl.DataType) -> str | None:
    if not (isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct)):
        return None
    names = [field.name for field in dtype.inner.fields]
    return next((name for name in _KEYS if name in names), None) if len(names) > 1 else None


def _value(pair: pl.Struct, key: str) -> pl.Expr:
    """Returns the text of a pair's value, whichever of the typed fields holds it."""
    others = [field for field in pair.fields if field.name != key]
    values = [field for field in others if field.name in _VALUES] or others
    cells = [
        cell
        for field in values
        for cell in _leaves(pl.element().struct.field(field.name), field.dtype)
    ]
    return pl.coalesce(cells) if cells else pl.lit(None, pl.String)


def _leaves(cell: pl.Expr, dtype: PolarsDataType) -> list[pl.Expr]:
    if isinstance(dtype, pl.Struct):
        return [
            leaf
            for field in dtype.fields
            for leaf in _leaves(cell.struct.field(field.name), field.dtype)
        ]
    return [] if dtype.is_nested() else [cell.cast(pl.String)]
