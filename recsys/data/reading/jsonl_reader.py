"""Reads JSON: one object a line, lists of objects, and objects that hold such a list."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from recsys.data.reading.encodings import TextForm, text_form
from recsys.data.reading.json_cursor import JsonCursor
from recsys.data.reading.json_layout import Layout, Records, find_records, walk
from recsys.data.reading.json_rows import JsonObject, checked_object, parse_object, rows_frame
from recsys.data.reading.json_shape import MAX_COLUMNS, JsonColumn, ShapeReader, json_columns
from recsys.data.reading.lines import UNDECODABLE, read_lines, read_text, undecodable
from recsys.data.reading.raw import BATCH_ROWS, BROKEN_SCHEMA, RawBatch, RawTable
from recsys.errors import DataError

SAMPLE_LINES = 10_000
"""A file without an object in so many first lines is not read to its end."""

_START_CHARACTERS = 1 << 20
"""So much is looked at to tell how the file holds its records."""

_CHUNK_ROWS = 10_000
"""Objects that are held at once."""

_Row = tuple[str, JsonObject | str]
"""A record as it is written, and the object or what is wrong with it."""


def open_jsonl(file: Path, *, encoding: str | None = None, records: str | None = None) -> RawTable:
    """Opens a JSON file, plain, `.gz` or `.zst`, and goes through it once to learn its columns.

    Every key is a column: a scalar as it is written, an object as JSON text, and what the object
    holds under `key.inner`. A list of scalars becomes a list column, a list of objects a list of
    structs. Where a key has values of several kinds, it is text.

    Args:
        file: JSON Lines, a list of objects, an object that holds one, or objects in a row.
        encoding: name of a Python codec; None: UTF-8, or what the file shows beyond doubt.
        records: keys that lead to the list of records (`data.orders`); None: the only list.

    Raises:
        DataError: the file is empty or damaged, or holds no object where they should be. Reading
            the batches can raise it as well.
    """
    text = text_form(file, encoding)
    where = _records(file, text, records)
    reader = ShapeReader()
    rows = 0
    for chunk in _chunks(file, text, where):
        rows += len(chunk)
        for _, found in chunk:
            if isinstance(found, dict):
                reader.add(found)
        if rows >= SAMPLE_LINES and not reader.root.seen_object:
            break
    if not reader.root.seen_object:
        raise _no_object(file, where, rows)
    columns, notes = json_columns(reader.root)
    if len(columns) > MAX_COLUMNS:
        message = (
            f"{file}: its objects have {len(columns)} different keys, more than {MAX_COLUMNS}: "
            "are keys used as values? Write each as a row of its own"
        )
        raise DataError(message, file=str(file))
    names = tuple(column.name for column in columns)
    batches = _batches(_chunks(file, text, where), columns)
    return RawTable(file, names, batches, (*text.notes, *where.notes, *notes))


def _records(file: Path, text: TextForm, records: str | None) -> Records:
    if records is not None:
        return Records(Layout.INSIDE, tuple(records.split(".")))
    parts = read_text(file, text)
    start = ""
    while len(start) < _START_CHARACTERS and (part := next(parts, None)) is not None:
        start = (start + part[0]).lstrip()
    whole = not any(part for part, _ in parts)
    return find_records(file, start, lambda: JsonCursor(file, read_text(file, text)), whole=whole)


def _no_object(file: Path, where: Records, rows: int) -> DataError:
    if where.layout is Layout.LINES:
        message = (
            f"{file}: none of the first {rows} lines is a JSON object: "
            "JSON Lines has one whole object on each line"
        )
    else:
        message = f"{file}: its list holds no object"
    return DataError(message, file=str(file))


def _chunks(file: Path, text: TextForm, where: Records) -> Iterator[list[_Row]]:
    if where.layout is Layout.LINES:
        yield from _line_chunks(file, text)
        return
    cursor = JsonCursor(file, read_text(file, text))
    broken = undecodable(text.encoding)
    chunk: list[_Row] = []
    for written, value in walk(cursor, where):
        bad = cursor.lossy and UNDECODABLE in written
        chunk.append((written, broken if bad else checked_object(written, value)))
        if len(chunk) == _CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _line_chunks(file: Path, text: TextForm) -> Iterator[list[_Row]]:
    broken = undecodable(text.encoding)
    for batch, lossy in read_lines(file, text):
        for begin in range(0, len(batch), _CHUNK_ROWS):
            lines = batch.slice(begin, _CHUNK_ROWS).to_list()
            yield [
                (line, broken if lossy and UNDECODABLE in line else parse_object(line))
                for line in lines
                if line.strip()
            ]


def _batches(chunks: Iterator[list[_Row]], columns: tuple[JsonColumn, ...]) -> Iterator[RawBatch]:
    waiting: list[RawBatch] = []
    done = waiting_rows = 0
    for chunk in chunks:
        waiting.append(_parsed(chunk, columns, done))
        done += len(chunk)
        waiting_rows += len(chunk)
        if waiting_rows >= BATCH_ROWS:
            yield _together(waiting)
            waiting, waiting_rows = [], 0
    if waiting:
        yield _together(waiting)


def _together(parts: list[RawBatch]) -> RawBatch:
    return RawBatch(
        pl.concat([part.rows for part in parts]), pl.concat([part.broken for part in parts])
    )


def _parsed(chunk: list[_Row], columns: tuple[JsonColumn, ...], done: int) -> RawBatch:
    """Makes a table of a chunk; `done` rows of the file came before."""
    numbers: list[int] = []
    texts: list[str] = []
    objects: list[JsonObject] = []
    broken: list[tuple[int, str, str, str]] = []
    for number, (text, found) in enumerate(chunk, start=done + 1):
        if isinstance(found, str):
            broken.append((number, "", found, text))
        else:
            numbers.append(number)
            texts.append(text)
            objects.append(found)
    rows = rows_frame(numbers, texts, objects, columns)
    return RawBatch(rows, pl.DataFrame(broken, schema=BROKEN_SCHEMA, orient="row"))
