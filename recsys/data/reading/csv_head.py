"""Reads the first lines of a CSV file: what separates cells, where the header is, its names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from recsys.data.reading.csv_header import (
    column_names,
    ends_with_separator,
    looks_like_data,
    repeated_notes,
    separator_line,
    title_above,
)
from recsys.data.reading.csv_records import CsvFormat
from recsys.data.reading.delimiter import guess_below_titles, guess_delimiter
from recsys.data.reading.lines import UNDECODABLE, undecodable
from recsys.errors import DataError

_BLANK = " \t\r,;|\ufeff\xa0"
_SAMPLE_LINES = 20
_HEADER_LINES = 20
"""A header whose quotes are still open after so many lines is broken."""


@dataclass(frozen=True, slots=True)
class CsvStart:
    """The first lines of a file."""

    file: Path
    lines: pl.Series
    lossy: bool
    """Bytes may have been replaced."""
    encoding: str

    def error(self, text: str) -> DataError:
        """Returns an error that names the file."""
        return DataError(f"{self.file}: {text}", file=str(self.file))


@dataclass(frozen=True, slots=True)
class CsvHead:
    """What the first lines say."""

    lines: int
    """So many lines come before the first row."""
    columns: tuple[str, ...]
    form: CsvFormat
    notes: tuple[str, ...]
    repeated: tuple[str, ...]
    """Names that stand several times in the header."""


@dataclass(frozen=True, slots=True)
class _Record:
    """The first record."""

    number: int
    """Of its first line in the file, from 1."""
    height: int
    """Lines that it spreads over."""
    cells: list[str]


def read_head(
    start: CsvStart, delimiter: str | None, quote: str, skip_rows: int, names: tuple[str, ...]
) -> CsvHead:
    """Finds the columns of a CSV file.

    Args:
        start: the first lines.
        delimiter: between cells; None: a line `sep=;` says it, or it is guessed.
        quote: around cells; empty: quotes mean nothing.
        skip_rows: lines to skip, a line `sep=;` among them.
        names: of the columns, if no line has them.

    Raises:
        DataError: no header can be read; the text says what to do.
    """
    separator = separator_line(start.lines[0])
    skipped = max(skip_rows, 0 if separator is None else 1)
    lines = start.lines.slice(skipped, _SAMPLE_LINES + _HEADER_LINES).to_list()
    blank = next((place for place, line in enumerate(lines) if line.strip(_BLANK)), len(lines))
    lines, skipped = lines[blank:], skipped + blank
    if not lines:
        if skip_rows:
            raise start.error(f"has no header after the {skip_rows} lines of skip_rows")
        raise start.error(f"the first {skipped} lines are empty: a header is needed")
    sample = [line for line in lines[:_SAMPLE_LINES] if line]
    form = CsvFormat(delimiter or separator or guess_below_titles(sample, quote), quote, 1)
    first = _first_record(start, lines, form, skipped + 1)
    if len(first.cells) == 1 and delimiter is not None:
        _refuse_single_column(start, sample, delimiter, quote)
    if names:
        cells, height = _checked_names(start, names, first), 0
    else:
        cells, height = first.cells, first.height
        _refuse_title(start, first, lines[height:_SAMPLE_LINES], form)
    columns, later = column_names(cells)
    notes = repeated_notes(later)
    form = replace(form, width=len(columns))
    if ends_with_separator(lines[height:], form):
        form = replace(form, trailing=True)
        notes = (*notes, "rows end with a separator more than the header: the last cell is empty")
    return CsvHead(skipped + height, columns, form, notes, tuple(later))


def _first_record(start: CsvStart, lines: Sequence[str], form: CsvFormat, number: int) -> _Record:
    height = 1
    record = lines[0]
    while form.quote and record.count(form.quote) % 2 and height < min(len(lines), _HEADER_LINES):
        record = f"{record}\n{lines[height]}"
        height += 1
    cells = form.cells(record)
    if cells is None and height > 1:
        record, height = lines[0], 1
        cells = form.cells(record)
    if cells is None:
        raise start.error(f"the header cannot be read: check its quotes: {record[:200]!r}")
    if start.lossy and UNDECODABLE in record:
        reason = undecodable(start.encoding)
        raise start.error(f'the header has {reason}: set encoding = "..." in the mapping file')
    return _Record(number, height, cells or [""])


def _checked_names(start: CsvStart, names: tuple[str, ...], first: _Record) -> list[str]:
    count = len(first.cells)
    if count == len(names) + 1 and not first.cells[-1].strip():
        count -= 1
    if count != len(names):
        raise start.error(
            f"header names {len(names)} columns, but line {first.number} has {count} fields: "
            f"{', '.join(first.cells)[:200]}"
        )
    return list(names)


def _refuse_title(start: CsvStart, first: _Record, below: Sequence[str], form: CsvFormat) -> None:
    found = title_above(first.cells, below, form)
    if found is None:
        return
    place, header = found
    skip = first.number + first.height + place - 1
    title = form.delimiter.join(first.cells)[:80]
    text = (
        f"line {first.number}, {title!r}, does not look like a header, but line {skip + 1} does: "
        f"{', '.join(header)[:200]}. Set skip_rows = {skip} in the mapping file"
    )
    if looks_like_data(header):
        names = ", ".join(['"..."'] * len(header))
        text = (
            f"line {first.number}, {title!r}, does not look like a header, and line {skip + 1} "
            f"looks like data. Set skip_rows = {skip} in the mapping file, and name the "
            f"{len(header)} columns: header = [{names}]"
        )
    raise start.error(text)


def _refuse_single_column(start: CsvStart, sample: list[str], delimiter: str, quote: str) -> None:
    better = guess_delimiter(sample, quote)
    if better in sample[0] and better != delimiter:
        raise start.error(
            f"found one column {sample[0][:200]!r} with delimiter {delimiter!r}: "
            f"is the delimiter {better!r}? Set delimiter = {better!r} or leave it out"
        )
