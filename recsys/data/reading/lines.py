"""Streams the lines of a text file, plain or compressed, and survives bytes that are not UTF-8."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from recsys.data.file_errors import naming
from recsys.data.reading.raw import BATCH_ROWS
from recsys.errors import DataError

UNDECODABLE = "\ufffd"
"""Stands where bytes were not UTF-8; only in batches that are marked as lossy."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_lines(file: Path, *, batch_rows: int = BATCH_ROWS) -> Iterator[tuple[pl.Series, bool]]:
    """Yields the lines in order, and whether bytes of the batch may have been replaced.

    Raises:
        DataError: the file is missing, empty, damaged, or UTF-16.
    """
    with naming(file):
        start = file.open("rb")
        with start:
            if start.read(2) in _UTF16_MARKS:
                message = f"{file}: is UTF-16 text: save it as UTF-8"
                raise DataError(message, file=str(file))
        done = 0
        try:
            for batch in _strict(file).collect_batches(chunk_size=batch_rows):
                lines = batch.to_series()
                if done == 0:
                    lines = _without_mark(lines)
                yield lines, False
                done += len(lines)
        except pl.exceptions.ComputeError as error:
            if "utf8" not in str(error):
                raise
        else:
            if done == 0:
                message = f"{file}: is empty"
                raise DataError(message, file=str(file))
            return
        for batch in _lossy(file).slice(done).collect_batches(chunk_size=batch_rows):
            yield _joined(batch), True


def _strict(file: Path) -> pl.LazyFrame:
    return pl.scan_lines(file, glob=False)


def _without_mark(lines: pl.Series) -> pl.Series:
    """Drops the byte order mark that some tools write at the start of a file."""
    return lines.str.strip_prefix("\ufeff") if len(lines) else lines


def _lossy(file: Path) -> pl.LazyFrame:
    """Reads lines as a CSV without quotes and with a delimiter that text does not contain."""
    return pl.scan_csv(
        file,
        has_header=False,
        schema={"line": pl.String, "rest": pl.String},
        separator="\x00",
        quote_char=None,
        encoding="utf8-lossy",
        empty_string_is_null=False,
        truncate_ragged_lines=True,
        missing_columns="insert",
        glob=False,
    )


def _joined(batch: pl.DataFrame) -> pl.Series:
    """Puts back what followed a zero byte, so that a check further on can find it."""
    line, rest = pl.col("line"), pl.col("rest")
    whole = pl.when(rest.fill_null("") == "").then(line).otherwise(line + "\x00" + rest)
    return batch.select(whole.alias("line")).to_series()
