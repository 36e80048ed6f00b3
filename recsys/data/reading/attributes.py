"""Gives the columns that we do not know a sensible type, so that filters can use them."""

import polars as pl

from recsys.data.events import TIME
from recsys.data.reading import cells
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.times import parse_times

_WHOLE = r"^-?(0|[1-9]\d{0,17})$"
_DECIMAL = r"^-?(0|[1-9]\d*)\.\d+$"
_DATE = r"^\d{4}-\d\d-\d\d"
_BOOLEANS = {"true": True, "false": False}


def typed_attribute(column: pl.Series, mapping: FileMapping) -> pl.Series:
    """Returns an attribute as String, Boolean, Int64, Float64, `TIME` or List(String).

    Text becomes a number, a boolean or a time only if every value is one; a number with leading
    zeros is a code and stays text.
    """
    dtype = column.dtype
    if dtype == pl.Boolean():
        return column
    if dtype.is_integer() and dtype != pl.UInt64():
        return column.cast(pl.Int64)
    if dtype.is_float() or dtype.is_decimal():
        return column.cast(pl.Float64).fill_nan(None)
    if isinstance(dtype, pl.Datetime | pl.Date):
        return parse_times(column, mapping).utc
    if isinstance(dtype, pl.List) and not dtype.inner.is_nested():
        return column.cast(pl.List(pl.String))
    found = column.to_frame().select(cells.text(column.name, dtype, mapping)).to_series()
    return _typed_text(found, mapping) if dtype == pl.String() else found


def _typed_text(column: pl.Series, mapping: FileMapping) -> pl.Series:
    values = column.drop_nulls()
    if values.is_empty():
        return column
    if values.str.contains(_WHOLE).all():
        return column.cast(pl.Int64)
    plain = values.str.replace(",", ".", literal=True) if mapping.decimal_comma else values
    if (plain.str.contains(_WHOLE) | plain.str.contains(_DECIMAL)).all():
        read = cells.number(column.name, pl.String(), mapping)
        return column.to_frame().select(read.alias(column.name)).to_series()
    lower = column.str.to_lowercase()
    if lower.drop_nulls().is_in(list(_BOOLEANS)).all():
        return lower.replace_strict(_BOOLEANS, return_dtype=pl.Boolean)
    if values.str.contains(_DATE).all():
        times = parse_times(column, mapping).utc
        if times.null_count() == column.null_count():
            return times.cast(TIME).alias(column.name)
    return column
