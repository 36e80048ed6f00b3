"""Reads Parquet: columns keep their types, and bytes that hold text become text."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from recsys.data.file_errors import naming
from recsys.data.reading.lines import UNDECODABLE
from recsys.data.reading.raw import BATCH_ROWS, ROW, RawBatch, RawTable, no_broken_rows
from recsys.errors import DataError


def open_parquet(file: Path) -> RawTable:
    """Opens a Parquet file.

    Raises:
        DataError: the file is missing, empty or damaged. Reading the batches can raise it as well.
    """
    with naming(file):
        if file.stat().st_size == 0:
            message = f"{file}: is empty"
            raise DataError(message, file=str(file))
        columns = tuple(pl.scan_parquet(file, glob=False).collect_schema())
    return RawTable(file, columns, _batches(file))


def _batches(file: Path) -> Iterator[RawBatch]:
    with naming(file):
        table = pl.scan_parquet(file, glob=False).with_row_index(ROW, offset=1)
        for batch in table.collect_batches(chunk_size=BATCH_ROWS):
            yield _decoded(batch.with_columns(pl.col(ROW).cast(pl.Int64)))


def _decoded(rows: pl.DataFrame) -> RawBatch:
    """Turns binary columns into text: several writers do not mark their texts as such."""
    binary = [name for name, dtype in rows.schema.items() if dtype == pl.Binary()]
    try:
        return RawBatch(rows.with_columns(pl.col(binary).cast(pl.String)), no_broken_rows())
    except pl.exceptions.ComputeError:
        rows = rows.with_columns(
            pl.Series(name, [_replaced(cell) for cell in rows[name]], pl.String) for name in binary
        )
    bad = pl.any_horizontal(pl.col(binary).str.contains(UNDECODABLE, literal=True))
    bad = bad.fill_null(value=False)
    broken = rows.filter(bad).select(
        ROW,
        field=pl.lit("", pl.String),
        reason=pl.lit("bytes that are not UTF-8", pl.String),
        value=pl.concat_str(binary, separator=" ", ignore_nulls=True),
    )
    return RawBatch(rows.filter(~bad), broken)


def _replaced(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode(errors="replace")
