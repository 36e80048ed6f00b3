"""Streams the lines of a text file, plain or compressed, and survives bytes that do not fit."""

import codecs
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import polars as pl

from recsys.data.file_errors import naming
from recsys.data.reading.byte_source import can_unpack, read_chunks
from recsys.data.reading.encodings import UTF8, TextForm
from recsys.data.reading.raw import BATCH_ROWS
from recsys.errors import DataError

UNDECODABLE = "\ufffd"
"""Stands where bytes could not be read; only in batches that are marked as lossy."""

_PLAIN = TextForm()


def undecodable(encoding: str) -> str:
    """Says what is wrong with a line whose bytes could not be read."""
    return f"bytes that are not {encoding.upper() if encoding == UTF8 else encoding}"


def read_lines(
    file: Path, text: TextForm = _PLAIN, *, batch_rows: int = BATCH_ROWS
) -> Iterator[tuple[pl.Series, bool]]:
    """Yields the lines in order, and whether bytes of the batch may have been replaced.

    Args:
        file: plain, gzip or zstd.
        text: how it is written.
        batch_rows: about so many lines make a batch.

    Raises:
        DataError: the file is missing, empty or damaged.
    """
    plain = text.encoding == UTF8 and text.line_end == "\n"
    batches = _utf8(file, batch_rows) if plain else _decoded(file, text, batch_rows)
    done = 0
    with naming(file):
        for lines, lossy in batches:
            yield (_without_mark(lines) if done == 0 else lines), lossy
            done += len(lines)
    if done == 0:
        message = f"{file}: is empty"
        raise DataError(message, file=str(file))


def _utf8(file: Path, batch_rows: int) -> Iterator[tuple[pl.Series, bool]]:
    done = 0
    try:
        for batch in _strict(file).collect_batches(chunk_size=batch_rows):
            lines = batch.to_series()
            yield lines, False
            done += len(lines)
    except pl.exceptions.ComputeError as error:
        if "utf8" not in str(error):
            raise
    else:
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


def _decoded(file: Path, text: TextForm, batch_rows: int) -> Iterator[tuple[pl.Series, bool]]:
    """Decodes in Python what Polars does not read."""
    waiting: list[pl.Series] = []
    rows = 0
    lossy = False
    for part in _whole_lines(file, text):
        lines = _cut(part, text.line_end)
        waiting.append(lines)
        rows += len(lines)
        lossy = lossy or UNDECODABLE in part
        if rows >= batch_rows:
            yield pl.concat(waiting), lossy
            waiting, rows, lossy = [], 0, False
    if waiting:
        yield pl.concat(waiting), lossy


def _whole_lines(file: Path, text: TextForm) -> Iterator[str]:
    """Yields the text in pieces that end where a line ends, without that line end."""
    decoder = codecs.getincrementaldecoder(text.encoding)("replace")
    rest = ""
    for chunk in read_chunks(file):
        rest += decoder.decode(chunk)
        piece, end, after = rest.rpartition(text.line_end)
        if end:
            yield piece
            rest = after
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest.removesuffix(text.line_end)


def _cut(part: str, line_end: str) -> pl.Series:
    lines = pl.Series("line", [part]).str.split(line_end).explode()
    return lines.str.strip_suffix("\r")


def read_text(file: Path, text: TextForm) -> Iterator[tuple[str, bool]]:
    """Yields the text in pieces cut anywhere, and whether bytes of a piece may be replaced.

    Raises:
        DataError: the file is missing or damaged.
    """
    if not can_unpack(file):
        for lines, lossy in read_lines(file, text):
            yield "\n".join(lines) + "\n", lossy
        return
    decoder = codecs.getincrementaldecoder(text.encoding)("replace")
    with naming(file):
        for chunk in chain(read_chunks(file), [b""]):
            part = decoder.decode(chunk, final=not chunk)
            yield part, part.count(UNDECODABLE) > chunk.count(UNDECODABLE.encode())
