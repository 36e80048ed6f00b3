"""Turns cells of any type into our ids, numbers and texts, as Polars expressions."""

import polars as pl

from recsys.data.reading.mapping import FileMapping

MAX_ID_BYTES = 512
CONTROL = r"[\x00-\x1f\x7f]"
"""Characters that no id may hold."""


def text(column: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns trimmed text, null where the cell means "no value"."""
    cell = pl.col(column)
    if dtype.is_nested():
        return _json_text(cell, dtype)
    if dtype.is_float():
        # Data frames write "no value" as NaN in float columns.
        return cell.fill_nan(None).cast(pl.String)
    if dtype == pl.Duration:
        return cell.dt.to_string("iso")
    cell = cell.cast(pl.String).str.strip_chars()
    return pl.when(~cell.is_in(list(mapping.missing))).then(cell)


def identifier(
    column: str, dtype: pl.DataType, mapping: FileMapping, *, whole_number: bool
) -> pl.Expr:
    """Returns an id as text; `17850.0` becomes `17850` where ids are whole numbers."""
    found = text(column, dtype, mapping)
    return found.str.replace(r"^(-?\d+)\.0+$", "$1") if whole_number else found


def number(column: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns a finite Float64, null where the cell is empty, NaN where it is no finite number."""
    cell = pl.col(column)
    if dtype == pl.String():
        written = text(column, dtype, mapping)
        digits = written.str.replace(",", ".", literal=True) if mapping.decimal_comma else written
        parsed = digits.cast(pl.Float64, strict=False)
        finite = pl.when(parsed.is_finite()).then(parsed).otherwise(float("nan"))
        return pl.when(written.is_not_null()).then(finite).alias(column)
    if dtype.is_float():
        cell = cell.cast(pl.Float64).fill_nan(None)
        return pl.when(cell.is_finite() | cell.is_null()).then(cell).otherwise(float("nan"))
    if dtype.is_numeric() or dtype == pl.Boolean():
        return cell.cast(pl.Float64)
    return pl.when(cell.is_not_null()).then(float("nan")).alias(column)


def _json_text(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Struct:
        return cell.struct.json_encode()
    wrapped = pl.struct(cell.alias("v")).struct.json_encode()
    inner = wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(cell.is_not_null()).then(inner)
