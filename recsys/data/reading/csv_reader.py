"""Reads CSV: every cell as text, and every line that is not a row told apart instead of fatal."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import polars as pl

from recsys.data.reading.csv_head import CsvStart, read_head
from recsys.data.reading.csv_records import CsvFormat, RecordJoiner
from recsys.data.reading.encodings import text_form
from recsys.data.reading.lines import UNDECODABLE, read_lines, undecodable
from recsys.data.reading.raw import ROW, RawBatch, RawTable


def open_csv(
    file: Path,
    *,
    delimiter: str | None = None,
    quote: str = '"',
    encoding: str | None = None,
    skip_rows: int = 0,
    header: tuple[str, ...] = (),
) -> RawTable:
    """Opens a CSV file.

    Args:
        file: plain, `.gz` or `.zst`.
        delimiter: between cells; None: guessed from the first lines.
        quote: the quote character; empty: quotes mean nothing.
        encoding: name of a Python codec; None: UTF-8, or what the file shows beyond doubt.
        skip_rows: lines above the header that are no part of the table.
        header: names of the columns of a file whose first line is data; empty: the first line
            that is not empty names them.

    Raises:
        DataError: the file is empty, damaged, in an encoding that cannot be told, or its header
            cannot be read. Reading the batches can raise it as well.
    """
    text = text_form(file, encoding)
    batches = read_lines(file, text)
    first, lossy = next(batches)
    begin = CsvStart(file, first, lossy=lossy, encoding=text.encoding)
    head = read_head(begin, delimiter, quote, skip_rows, header)
    rest = chain([(first.slice(head.lines), lossy)], batches)
    return RawTable(
        file,
        head.columns,
        _batches(rest, head.columns, head.form, text.encoding),
        (*text.notes, *head.notes),
        head.repeated,
    )


def _batches(
    lines: Iterator[tuple[pl.Series, bool]],
    columns: tuple[str, ...],
    form: CsvFormat,
    encoding: str,
) -> Iterator[RawBatch]:
    joiner = RecordJoiner(form)
    done = 0
    ever_lossy = False
    for batch, lossy in lines:
        ever_lossy = ever_lossy or lossy
        records = joiner.records(batch)
        yield _parsed(records, columns, form, done, encoding if ever_lossy else None)
        done += len(records)
    records = joiner.rest()
    if len(records):
        yield _parsed(records, columns, form, done, encoding if ever_lossy else None)


def _parsed(
    records: pl.Series,
    columns: tuple[str, ...],
    form: CsvFormat,
    done: int,
    lossy_encoding: str | None,
) -> RawBatch:
    """Cuts records into cells.

    Args:
        records: whole records.
        columns: names of the cells.
        form: how cells are written.
        done: so many rows of the file came before.
        lossy_encoding: what the file is read as, where bytes may have been replaced.
    """
    table = pl.DataFrame({ROW: pl.int_range(done + 1, done + 1 + len(records), eager=True)})
    table = table.with_columns(record=records)
    broken: list[pl.DataFrame] = []
    if lossy_encoding is not None:
        bad = pl.col("record").str.contains(UNDECODABLE, literal=True)
        broken.append(_broken(table.filter(bad), undecodable(lossy_encoding)))
        table = table.filter(~bad)
    quoted = pl.lit(value=False)
    if form.quote:
        quoted = pl.col("record").str.contains(form.quote, literal=True)
    simple, hard = table.filter(~quoted), table.filter(quoted)
    simple_rows, simple_broken = _split(simple, columns, form)
    rows = [simple_rows]
    broken.append(simple_broken)
    if len(hard):
        hard_rows, hard_broken = _parse_quoted(hard, columns, form)
        rows.append(hard_rows)
        broken.append(hard_broken)
    together = pl.concat(rows) if len(rows) == 1 else pl.concat(rows).sort(ROW)
    return RawBatch(together, pl.concat(broken))


def _split(
    table: pl.DataFrame, columns: tuple[str, ...], form: CsvFormat
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cuts records without quotes, all at once."""
    width = len(columns)
    cut = table.with_columns(
        pl.col("record").str.splitn(form.delimiter, width + 1).struct.unnest()
    )
    beyond = pl.col(f"field_{width}")
    ends = beyond.is_null() | (beyond == "") if form.trailing else beyond.is_null()
    fits = pl.col(f"field_{width - 1}").is_not_null() & ends
    names = {f"field_{place}": name for place, name in enumerate(columns)}
    rows = cut.filter(fits).select(ROW, *names).rename(names)
    return rows, _broken(cut.filter(~fits), form.width_reason())


def _parse_quoted(
    table: pl.DataFrame, columns: tuple[str, ...], form: CsvFormat
) -> tuple[pl.DataFrame, pl.DataFrame]:
    cells = form.many_cells(table["record"].to_list())
    fits = pl.Series([row is not None for row in cells], dtype=pl.Boolean)
    kept = [row for row in cells if row is not None]
    rows = pl.DataFrame(kept, schema=dict.fromkeys(columns, pl.String), orient="row")
    numbers = table.filter(fits)[ROW]
    broken = _broken(table.filter(~fits), f"broken quotes or {form.width_reason()}")
    return rows.insert_column(0, numbers), broken


def _broken(table: pl.DataFrame, reason: str) -> pl.DataFrame:
    return table.select(
        ROW,
        field=pl.lit("", pl.String),
        reason=pl.lit(reason, pl.String),
        value=pl.col("record"),
    )
