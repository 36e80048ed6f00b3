"""What one CSV record is: cells, quotes, and records that go on over several lines."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

MAX_RECORD_LINES = 100
"""A quoted cell that is still open after so many lines is a stray quote."""

_NO_CHARACTER = "\ufdd0"
"""Unicode promises that no text has it."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How cells are written."""

    delimiter: str
    quote: str
    """Empty: quotes mean nothing."""
    width: int
    """Cells in a row."""
    trailing: bool = False
    """An empty cell after the last one is none: rows end with a delimiter."""

    def cells(self, record: str) -> list[str] | None:
        """Returns the cells of one record, however many; None where its quotes are broken."""
        try:
            rows = list(self._reader([record]))
        except csv.Error:
            return None
        return rows[0] if len(rows) == 1 else None

    def many_cells(self, records: Sequence[str]) -> list[list[str] | None]:
        """Returns the cells of each record; None where they are broken or not `width`.

        Between tabs, quotes that make no sense as such are characters.
        """
        try:
            rows = list(self._reader(records))
        except csv.Error:
            rows = []
        if len(rows) == len(records) and all(len(row) == self.width for row in rows):
            return list(rows)
        return [self._row(record) or self._literal_row(record) for record in records]

    def _row(self, record: str) -> list[str] | None:
        cells = self.cells(record)
        return None if cells is None else self._of_width(cells)

    def _literal_row(self, record: str) -> list[str] | None:
        if self.delimiter != "\t" or "\n" in record:
            return None
        return self._of_width(record.split(self.delimiter))

    def _of_width(self, cells: list[str]) -> list[str] | None:
        if self.trailing and len(cells) == self.width + 1 and not cells[-1]:
            cells.pop()
        return cells if len(cells) == self.width else None

    def is_row(self, record: str) -> bool:
        """Tells whether a record is one whole row."""
        return self._row(record) is not None

    def width_reason(self) -> str:
        """Says what is wrong with a record of another width."""
        return f"wrong number of fields (not {self.width})"

    def _reader(self, records: Sequence[str]) -> Iterator[list[str]]:
        if len(self.delimiter) > 1:
            return self._long_reader(records)
        return _parsed(records, self.delimiter, self.quote)

    def _long_reader(self, records: Sequence[str]) -> Iterator[list[str]]:
        """Reads cells with a sign in place of a delimiter of several characters."""
        replaced = [record.replace(self.delimiter, _NO_CHARACTER) for record in records]
        for row in _parsed(replaced, _NO_CHARACTER, self.quote):
            yield [cell.replace(_NO_CHARACTER, self.delimiter) for cell in row]


def _parsed(records: Sequence[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    if quote:
        return csv.reader(records, delimiter=delimiter, quotechar=quote, strict=True)
    return csv.reader(records, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)


class RecordJoiner:
    """Puts lines together that one quoted cell spreads over, batch after batch.

    A stray quote costs its own line only: lines are joined when they make a whole row together.
    """

    def __init__(self, form: CsvFormat) -> None:
        self._form = form
        self._open: pl.Series | None = None

    def records(self, lines: pl.Series) -> pl.Series:
        """Returns the records of a batch; the last ones may wait for the next batch."""
        return self._join(lines, last=False)

    def rest(self) -> pl.Series:
        """Returns the records that still waited at the end of the file."""
        return self._join(pl.Series("line", [], pl.String), last=True)

    def _join(self, lines: pl.Series, *, last: bool) -> pl.Series:
        if self._open is not None:
            lines = self._open.append(lines)
            self._open = None
        if self._form.quote:
            odd = lines.str.count_matches(self._form.quote, literal=True) % 2 == 1
            places = np.flatnonzero(odd.to_numpy())
            if len(places):
                lines = self._joined(lines, places.tolist(), last=last)
        return lines.filter(lines != "")

    def _joined(self, lines: pl.Series, places: list[int], *, last: bool) -> pl.Series:
        """Joins from each line with an odd number of quotes to the next such line."""
        text = lines.to_list()
        swallowed: list[int] = []
        position = 0
        while position < len(places):
            start = places[position]
            position += 1
            if self._form.is_row(text[start]):
                continue
            if position == len(places):
                if not last and len(text) - start <= MAX_RECORD_LINES:
                    self._open = pl.Series("line", text[start:], pl.String)
                    text = text[:start]
                break
            end = places[position]
            record = "\n".join(text[start : end + 1])
            if end - start < MAX_RECORD_LINES and self._form.is_row(record):
                text[start] = record
                swallowed.extend(range(start + 1, end + 1))
                position += 1
        keep = np.ones(len(text), dtype=np.bool_)
        keep[swallowed] = False
        return pl.Series("line", text, pl.String).filter(pl.Series(keep))
