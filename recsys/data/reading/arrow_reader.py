"""Reads Arrow IPC: files, which are Feather of version 2 too, and streams."""

from pathlib import Path

import polars as pl

from recsys.data.reading.raw import RawTable
from recsys.data.reading.typed_file import open_typed, reading, start_of
from recsys.errors import DataError

_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"


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
    with reading(file):
        if start.startswith(_FILE):
            scan = pl.scan_ipc(file, glob=False)
        else:
            scan = pl.read_ipc_stream(file).lazy()
    return open_typed(file, scan)
