"""Streams the bytes of a file, unpacked, and tells files that are no text by how they begin."""

import gzip
import importlib
import importlib.util
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from recsys.errors import DataError

CHUNK_BYTES = 4 << 20

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SPREADSHEET = "open it in the spreadsheet program and save it as CSV (UTF-8)"
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive or an .xlsx workbook", f"unzip it; a workbook: {_SPREADSHEET}"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", _SPREADSHEET),
    (b"PAR1", "Parquet", "let its name end in .parquet"),
    (b"ARROW1", "an Arrow file", "let its name end in .arrow"),
    (b"Obj\x01", "Avro", "convert it to Parquet or JSON Lines"),
    (b"ORC", "ORC", "convert it to Parquet"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV"),
    (b"BZh", "packed by bzip2", "unpack it, or pack it by gzip or zstd"),
    (b"\xfd7zXZ\x00", "packed by xz", "unpack it, or pack it by gzip or zstd"),
    (b"%PDF", "a PDF document", "export the table as CSV"),
    (b"\x89PNG", "a picture (PNG)", "give the table itself"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "give the table itself"),
    (b"GIF8", "a picture (GIF)", "give the table itself"),
    (b"<!DOCTYPE html", "a web page", "download the file itself, perhaps after a login"),
    (b"<html", "a web page", "download the file itself, perhaps after a login"),
    (b"<?xml", "XML", "export it as CSV or JSON"),
)


def refuse_foreign(file: Path, start: bytes) -> None:
    """Refuses text that is another kind of file by its first bytes.

    Raises:
        DataError: it is; the text says what to do.
    """
    for mark, kind, advice in _FOREIGN:
        if start.startswith(mark):
            message = f"{file}: is {kind}, whatever its name says: {advice}"
            raise DataError(message, file=str(file))


def can_unpack(file: Path) -> bool:
    """Says whether `read_chunks` can read the file: zstd needs pyarrow, which is optional."""
    with file.open("rb") as source:
        packed = source.read(len(_ZSTD)) == _ZSTD
    return not packed or importlib.util.find_spec("pyarrow") is not None


def read_chunks(file: Path, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yields the unpacked bytes of a plain, gzip or zstd file.

    Raises:
        OSError: the file is missing, damaged or cut short.
    """
    with file.open("rb") as source:
        start = source.read(len(_ZSTD))
        source.seek(0)
        stream: BinaryIO = source
        if start.startswith(_GZIP):
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=source))
        elif start == _ZSTD:
            arrow: Any = importlib.import_module("pyarrow")
            stream = arrow.CompressedInputStream(source, "zstd")
        try:
            while chunk := stream.read(size):
                yield chunk
        except (EOFError, zlib.error) as error:
            raise OSError(str(error)) from error
