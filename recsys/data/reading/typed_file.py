"""What readers of files with typed columns have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from recsys.data.file_errors import naming
from recsys.data.reading.column_types import columns_of, plain_batch
from recsys.data.reading.raw import BATCH_ROWS, ROW, RawBatch, RawTable
from recsys.errors import DataError

Again = Callable[[pl.exceptions.ComputeError], pl.LazyFrame | None]


def start_of(file: Path) -> bytes:
    """Returns the first bytes of a file.

    Raises:
        DataError: the file is missing or empty.
    """
    with naming(file), file.open("rb") as source:
        start = source.read(8)
    if not start:
        message = f"{file}: is empty"
        raise DataError(message, file=str(file))
    return start


def open_typed(file: Path, scan: pl.LazyFrame, again: Again | None = None) -> RawTable:
    """Opens a file whose columns have types.

    Args:
        file: named in errors.
        scan: its rows.
        again: called with an error of Polars; another way to read the same rows, or None.

    Raises:
        DataError: the file is damaged, or a column cannot be read. Reading the batches can raise
            it as well.
    """
    with reading(file):
        schema = scan.collect_schema()
    return RawTable(file, tuple(columns_of(schema)), _batches(file, scan, again))


def _batches(file: Path, scan: pl.LazyFrame, again: Again | None) -> Iterator[RawBatch]:
    done = 0
    with reading(file):
        rows = int(scan.select(pl.len()).collect().item())
        try:
            for batch in scan.collect_batches(chunk_size=BATCH_ROWS):
                yield _numbered(batch, done)
                done += len(batch)
        except pl.exceptions.ComputeError as error:
            other = again(error) if again is not None else None
            if other is None:
                raise
            for batch in other.slice(done).collect_batches(chunk_size=BATCH_ROWS):
                yield _numbered(batch, done)
                done += len(batch)
    if done != rows:
        # Polars ends early, without an error, where one of its threads has failed.
        raise _unreadable(file, f"only {done:,} of {rows:,} rows came out")


def _numbered(batch: pl.DataFrame, done: int) -> RawBatch:
    """Returns a batch that `done` rows of the file come before."""
    numbers = pl.int_range(done + 1, done + 1 + len(batch), dtype=pl.Int64, eager=True)
    return plain_batch(batch.insert_column(0, numbers.alias(ROW)))


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turns what Polars raises on a file with typed columns into an error that names the file.

    Raises:
        DataError: the file is missing or damaged, or has a type that Polars does not read.
    """
    try:
        with naming(file):
            yield
    except pl.exceptions.PanicException as error:
        raise _unreadable(file, str(error).partition("\n")[0]) from None


def _unreadable(file: Path, why: str) -> DataError:
    message = (
        f"{file}: a column has a type that cannot be read, or the file is damaged: {why}. "
        "Decimals may have 38 digits; list views and run-end encoding are not read: write such "
        "a column with another type"
    )
    return DataError(message, file=str(file))
