"""Reads CSV: every cell as text, and every line that is not a row told apart instead of fatal."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import polars as pl

from recsys.data.reading.csv_records import CsvFormat, RecordJoiner
from recsys.data.reading.delimiter import guess_delimiter
from recsys.data.reading.lines import UNDECODABLE, read_lines
from recsys.data.reading.raw import ROW, RawBatch, RawTable
from recsys.errors import DataError

_SAMPLE_LINES = 20


def open_csv(file: Path, *, delimiter: str | None = None, quote: str = '"') -> RawTable:
    """Opens a CSV file whose first line names the columns.

    Args:
        file: plain, `.gz` or `.zst`.
        delimiter: one character; None: guessed from the first lines.
        quote: the quote character; empty: quotes mean nothing.

    Raises:
        DataError: the file is empty, damaged, or its header names no usable columns. Reading
            the batches can raise it as well.
    """
    batches = read_lines(file)
    first, lossy = next(batches)
    sample = [line for line in first.head(_SAMPLE_LINES).to_list() if line]
    if not sample:
        message = f"{file}: the first {_SAMPLE_LINES} lines are empty: a header is needed"
        raise DataError(message, file=str(file))
    used = delimiter or guess_delimiter(sample, quote)
    columns = _header(file, sample[0], CsvFormat(used, quote, 1))
    if len(columns) == 1 and delimiter is not None:
        _refuse_single_column(file, sample, delimiter, quote)
    form = CsvFormat(used, quote, len(columns))
    start = first.to_list().index(sample[0]) + 1
    rest = chain([(first.slice(start), lossy)], batches)
    return RawTable(file, columns, _batches(rest, columns, form))


def _header(file: Path, line: str, form: CsvFormat) -> tuple[str, ...]:
    cells = form.cells(line)
    if cells is None:
        message = f"{file}: the header cannot be read: check its quotes: {line[:200]!r}"
        raise DataError(message, file=str(file))
    names = [cell.strip() or f"column_{place}" for place, cell in enumerate(cells, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"{file}: the header has {', '.join(map(repr, twice))} more than once"
        raise DataError(message, file=str(file))
    return tuple(names)


def _refuse_single_column(file: Path, sample: list[str], delimiter: str, quote: str) -> None:
    better = guess_delimiter(sample, quote)
    if better in sample[0] and better != delimiter:
        message = (
            f"{file}: found one column {sample[0][:200]!r} with delimiter {delimiter!r}: "
            f"is the delimiter {better!r}? Set delimiter = {better!r} or leave it out"
        )
        raise DataError(message, file=str(file))


def _batches(
    lines: Iterator[tuple[pl.Series, bool]], columns: tuple[str, ...], form: CsvFormat
) -> Iterator[RawBatch]:
    joiner = RecordJoiner(form)
    done = 0
    for batch, lossy in lines:
        records = joiner.records(batch)
        yield _parsed(records, columns, form, done, lossy=lossy)
        done += len(records)
    records = joiner.rest()
    if len(records):
        yield _parsed(records, columns, form, done, lossy=True)


def _parsed(
    records: pl.Series, columns: tuple[str, ...], form: CsvFormat, done: int, *, lossy: bool
) -> RawBatch:
    """Cuts records into cells; `done` rows of the file came before."""
    table = pl.DataFrame({ROW: pl.int_range(done + 1, done + 1 + len(records), eager=True)})
    table = table.with_columns(record=records)
    broken: list[pl.DataFrame] = []
    if lossy:
        bad = pl.col("record").str.contains(UNDECODABLE, literal=True)
        broken.append(_broken(table.filter(bad), "bytes that are not UTF-8"))
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
    fits = pl.col(f"field_{width - 1}").is_not_null() & pl.col(f"field_{width}").is_null()
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
