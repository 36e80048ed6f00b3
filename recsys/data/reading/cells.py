"""Turns cells of any type into our ids, numbers and texts, as Polars expressions."""

import polars as pl

from recsys.data.reading.ids import as_id
from recsys.data.reading.literal import column as named
from recsys.data.reading.mapping import MISSING_TEXTS, FileMapping
from recsys.data.reading.numbers import read_numbers

MAX_ID_BYTES = 512
CONTROL = r"[\x00-\x1f\x7f]"
"""Characters that no id may hold."""

_WORDS = (pl.String, pl.Categorical, pl.Enum)


def text(column: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns trimmed text, null where the cell means "no value"."""
    cell = named(column)
    if dtype.is_nested():
        return _json_text(cell, dtype).alias(column)
    if dtype == pl.Duration:
        return cell.dt.to_string("iso")
    if dtype == pl.Binary():
        cell = cell.cast(pl.String, strict=False)
    if dtype.is_float():
        # Data frames write "no value" as NaN in float columns.
        cell = cell.fill_nan(None)
    cell = cell.cast(pl.String)
    if isinstance(dtype, _WORDS):
        cell = cell.str.strip_chars()
    missing = cell.is_in(list(mapping.missing))
    if further := mapping.missing_in.get(column):
        missing |= cell.is_in(list(further))
        # 0 and 0.0 are one value, whatever the file's type is.
        missing |= cell.str.replace(r"^(-?\d+)\.0+$", "$1").is_in(list(further))
    return pl.when(~missing).then(cell)


def identifier(
    column: str, dtype: pl.DataType, mapping: FileMapping, *, whole_number: bool
) -> pl.Expr:
    """Returns an id as text; `17850.0` becomes `17850` where ids are whole numbers.

    An id that has lost digits is marked (`recsys.data.reading.ids`), so that `id_checks` find it.
    """
    written = text(column, dtype, mapping)
    return as_id(written, named(column), dtype, whole=whole_number).alias(column)


def number(column: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns a finite Float64, null where the cell is empty, NaN where it is no finite number."""
    cell = named(column)
    if isinstance(dtype, _WORDS):
        written = text(column, dtype, mapping)
        return read_numbers(written, decimal_comma=mapping.decimal_comma).alias(column)
    if dtype == pl.Null():
        return cell.cast(pl.Float64)
    if not dtype.is_numeric() and dtype != pl.Boolean():
        return pl.when(cell.is_not_null()).then(float("nan")).alias(column)
    if dtype.is_float():
        cell = cell.fill_nan(None)
    if dtype.is_decimal() or dtype in {pl.Float32(), pl.Float16()}:
        # By way of its text, 19.99 is the same number that a text file says.
        cell = cell.cast(pl.String)
    cell = cell.cast(pl.Float64)
    if dtype.is_float():
        cell = pl.when(cell.is_finite() | cell.is_null()).then(cell).otherwise(float("nan"))
    if says_missing(column, mapping):
        cell = pl.when(text(column, dtype, mapping).is_not_null()).then(cell)
    return cell.alias(column)


def says_missing(column: str, mapping: FileMapping) -> bool:
    """Says whether a number of a typed column can mean "no value" by the mapping."""
    return column in mapping.missing_in or mapping.missing != MISSING_TEXTS


def _json_text(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Struct:
        return pl.when(cell.is_not_null()).then(cell.struct.json_encode())
    wrapped = pl.struct(cell.alias("v")).struct.json_encode()
    inner = wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(cell.is_not_null()).then(inner)
