"""Brings the columns of Parquet and Arrow files to the types that everything else reads."""

import os
from collections.abc import Iterator, Mapping

import polars as pl
from polars.datatypes import DataTypeClass

from recsys.data.reading.lines import UNDECODABLE
from recsys.data.reading.literal import column as named
from recsys.data.reading.raw import ROW, RawBatch, no_broken_rows

# Polars refuses zones that are fixed offsets (+05:30), which other writers of Arrow use. Such
# times are UTC inside, and `plain_type` makes them so.
os.environ.setdefault("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")

_Type = pl.DataType | DataTypeClass

MAX_LEAVES = 500
"""Of a struct with more fields, at all depths, no field becomes a column."""


def plain_type(dtype: _Type) -> pl.DataType:
    """Returns the type that a column is read as, at every depth.

    Dictionaries, bytes and columns without any value become text, arrays lists, maps lists of
    keys and values, times with a zone UTC.
    """
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Binary | pl.Null):
        return pl.String()
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return pl.Datetime(dtype.time_unit, "UTC")
    if isinstance(dtype, pl.BaseExtension):
        return plain_type(dtype.ext_storage())
    if isinstance(dtype, pl.DataType) and dtype.is_nested():
        return _plain_nested(dtype)
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def _plain_nested(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.List | pl.Array):
        return pl.List(plain_type(dtype.inner))
    if isinstance(dtype, pl.Map):
        pair = {"key": plain_type(dtype.key), "value": plain_type(dtype.value)}
        return pl.List(pl.Struct(pair))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: plain_type(field.dtype) for field in dtype.fields})
    return dtype


def columns_of(schema: Mapping[str, pl.DataType]) -> dict[str, pl.Expr]:
    """Returns the columns that a file has for us: its own, and the fields of its structs.

    A field is the column `struct.field`, at every depth down to lists; a column of the file that
    has this name comes before it.
    """
    columns = {name: named(name) for name in schema}
    for name, dtype in schema.items():
        leaves = dict(_leaves(name, named(name), dtype))
        if len(leaves) <= MAX_LEAVES:
            columns |= {path: cell for path, cell in leaves.items() if path not in schema}
    return columns


def _leaves(path: str, cell: pl.Expr, dtype: _Type) -> Iterator[tuple[str, pl.Expr]]:
    if not isinstance(dtype, pl.Struct):
        return
    for field in dtype.fields:
        below, inner = f"{path}.{field.name}", cell.struct.field(field.name)
        if isinstance(field.dtype, pl.Struct):
            yield from _leaves(below, inner, field.dtype)
        else:
            yield below, inner


def plain_batch(rows: pl.DataFrame) -> RawBatch:
    """Returns rows with plain types, and `columns_of` them all; bytes that are no text break rows.

    Args:
        rows: `ROW` and the columns of a file.
    """
    rows = rows.with_columns(
        named(name).ext.storage()
        for name, dtype in rows.schema.items()
        if isinstance(dtype, pl.BaseExtension)
    )
    binary = [name for name, dtype in rows.schema.items() if dtype == pl.Binary()]
    rows, broken = _decoded(rows, binary)
    rows = rows.with_columns(
        named(name).cast(plain_type(dtype))
        for name, dtype in rows.schema.items()
        if plain_type(dtype) != dtype
    )
    cells = columns_of(rows.drop(ROW).schema)
    return RawBatch(rows.select(ROW, **cells), broken)


def _decoded(rows: pl.DataFrame, binary: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turns binary columns into text: several writers do not mark their texts as such."""
    try:
        return rows.with_columns(named(name).cast(pl.String) for name in binary), no_broken_rows()
    except pl.exceptions.ComputeError:
        rows = rows.with_columns(
            pl.Series(name, [_replaced(cell) for cell in rows[name]], pl.String) for name in binary
        )
    bad = pl.any_horizontal(named(name).str.contains(UNDECODABLE, literal=True) for name in binary)
    bad = bad.fill_null(value=False)
    broken = rows.filter(bad).select(
        ROW,
        field=pl.lit("", pl.String),
        reason=pl.lit("bytes that are not UTF-8", pl.String),
        value=pl.concat_str([named(name) for name in binary], separator=" ", ignore_nulls=True),
    )
    return rows.filter(~bad), broken


def _replaced(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode(errors="replace")
