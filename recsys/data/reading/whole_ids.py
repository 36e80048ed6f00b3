"""Decides for one file whether ids such as `17850.0` are whole numbers."""

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from recsys.data.reading import cells
from recsys.data.reading.ids import DECIMAL, EXPONENT, WHOLE, as_id, only_whole
from recsys.data.reading.literal import column as named
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.raw import RawBatch

_FIRST_LOOK = 1_000
"""So many texts are looked at before all of a batch are."""


class WholeIds:
    """Reads the id columns of one file, batch by batch, and remembers what it has decided.

    A column holds whole numbers where every id of the first rows is one and at least one of them
    is written as a decimal. A column that has shown nothing but digits stays undecided.
    """

    def __init__(self, columns: Iterable[str], mapping: FileMapping) -> None:
        """Starts with nothing decided.

        Args:
            columns: the retailer's columns that hold ids.
            mapping: says which texts mean "no value".
        """
        self._columns = tuple(dict.fromkeys(columns))
        self._mapping = mapping
        self._whole: dict[str, bool] = {}
        self.notes: list[str] = []
        """What a person should hear about the columns, complete after the last batch."""

    def read(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Returns the file's next rows; columns of whole numbers become text without decimals.

        A later id that is no whole number is marked, so that `id_checks` reject it.
        """
        changed: list[pl.Expr] = []
        for column in self._columns:
            dtype = rows.schema[column]
            if dtype.is_integer() or dtype.is_nested() or dtype == pl.Boolean():
                continue
            written = cells.text(column, dtype, self._mapping)
            if column not in self._whole and not _only_digits(rows[column]):
                self._decide(column, rows.select(written).to_series().drop_nulls())
            if self._whole.get(column):
                ids = as_id(written, named(column), dtype, whole=True)
                changed.append(only_whole(ids).alias(column))
        return rows.with_columns(changed)

    def read_batch(self, batch: RawBatch) -> RawBatch:
        """Returns a batch whose rows are as `read` returns them."""
        return replace(batch, rows=self.read(batch.rows))

    def _decide(self, column: str, texts: pl.Series) -> None:
        if not texts.head(_FIRST_LOOK).str.contains(f"{WHOLE}|{EXPONENT}").all():
            self._whole[column] = False
            return
        plain = texts.filter(~texts.str.contains(EXPONENT))
        decimal = plain.str.contains(DECIMAL)
        if not plain.str.contains(WHOLE).all():
            self._whole[column] = False
        elif decimal.any():
            self._whole[column] = True
            example = str(plain.filter(decimal).item(0))
            number = example.partition(".")[0]
            note = f"column {column!r} holds whole numbers: the id {example} is read as {number}"
            self.notes.append(note)


def _only_digits(ids: pl.Series) -> bool:
    """Says whether a text column shows nothing but digits, quickly."""
    if ids.dtype != pl.String():
        return False
    return ids.cast(pl.Int64, strict=False).null_count() == ids.null_count()
