"""What a reader yields: rows as the file has them, and the ones that cannot be read as rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

ROW = "__row__"
"""Column with a row's number in its file: 1 is the first row of data."""

BROKEN_SCHEMA: dict[str, pl.DataType] = {
    ROW: pl.Int64(),
    "field": pl.String(),
    "reason": pl.String(),
    "value": pl.String(),
}

BATCH_ROWS = 500_000
"""Rows worked on at once: large enough for vectors, small enough for a small machine."""


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Some consecutive rows of one file."""

    rows: pl.DataFrame
    """`ROW` and the file's columns, with the file's own types (text for CSV and JSON Lines)."""
    broken: pl.DataFrame
    """`BROKEN_SCHEMA`: rows that have no columns to look at."""
    records: int | None = None
    """Rows that the file has for these; None: as many as there are."""

    def __len__(self) -> int:
        """Returns the number of rows, those that cannot be read included."""
        return len(self.rows) + len(self.broken)


@dataclass(frozen=True, slots=True)
class RawTable:
    """An opened file: its columns are known, its rows are still to be read."""

    file: Path
    columns: tuple[str, ...]
    batches: Iterator[RawBatch]
    """Can be gone through once."""
    notes: tuple[str, ...] = ()
    """What a person should hear about how the file was read (`is read as cp1252`)."""
    repeated: tuple[str, ...] = ()
    """Names that stand several times in a header; the first such column keeps its name."""


def no_broken_rows() -> pl.DataFrame:
    """Returns an empty frame of `BROKEN_SCHEMA`."""
    return pl.DataFrame(schema=BROKEN_SCHEMA)
