"""Reads Parquet: columns keep their types where these say something."""

from pathlib import Path

import polars as pl

from recsys.data.reading.raw import RawTable
from recsys.data.reading.typed_file import open_typed, start_of


def open_parquet(file: Path) -> RawTable:
    """Opens a Parquet file.

    Raises:
        DataError: the file is missing, empty or damaged, or a column cannot be read. Reading the
            batches can raise it as well.
    """
    start_of(file)
    return open_typed(file, pl.scan_parquet(file, glob=False))
