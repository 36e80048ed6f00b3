"""Reads Arrow IPC: files, which are Feather of version 2 too, and streams."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from recsys.data.reading.raw import RawTable
from recsys.data.reading.typed_file import open_typed, reading, start_of
from recsys.errors import DataError

_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"
_GAP = "The dictionary key must fit"
"""Polars reads the number that stands under an empty cell of a dictionary, which may be -1."""


def open_arrow(file: Path) -> RawTable:
    """Opens an Arrow IPC file or stream; a stream is held in memory.

    Raises:
        DataError: the file is missing, empty or damaged, or a column cannot be read. Reading the
            batches can raise it as well.
    """
    start = start_of(file)
    if start.startswith(_FEATHER_1):
        message = f"{file}: is Feather version 1: write it as version 2, or as Parquet"
        raise DataError(message, file=str(file))
    if start.startswith(_FILE):
        scan = pl.scan_ipc(file, glob=False)
        return open_typed(file, scan, lambda error: _by_pyarrow(file, error, pl.read_ipc))
    with reading(file):
        try:
            frame = pl.read_ipc_stream(file).lazy()
        except pl.exceptions.ComputeError as error:
            other = _by_pyarrow(file, error, pl.read_ipc_stream)
            if other is None:
                raise
            frame = other
    return open_typed(file, frame)


def _by_pyarrow(
    file: Path, error: pl.exceptions.ComputeError, read: Callable[..., pl.DataFrame]
) -> pl.LazyFrame | None:
    """Reads what Polars cannot: categories with gaps, as pandas writes them; None: another error.

    Raises:
        DataError: pyarrow is not installed.
    """
    if _GAP not in str(error):
        return None
    try:
        return read(file, use_pyarrow=True).lazy()
    except ModuleNotFoundError:
        message = (
            f"{file}: has categories with empty cells, as pandas writes them: install pyarrow to "
            "read them, or write the file as Parquet"
        )
        raise DataError(message, file=str(file)) from None
