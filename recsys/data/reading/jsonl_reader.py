"""Reads JSON Lines: one object a line, numbers kept exactly as they are written."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import polars as pl

from recsys.data.reading.lines import UNDECODABLE, read_lines
from recsys.data.reading.raw import BROKEN_SCHEMA, ROW, RawBatch, RawTable
from recsys.errors import DataError

SAMPLE_LINES = 10_000
"""Keys are looked for in so many first lines; one that appears only later is not a column."""

_Object = dict[str, object]


def open_jsonl(file: Path) -> RawTable:
    """Opens a JSON Lines file, plain, `.gz` or `.zst`.

    A list of scalars becomes a list column, a list of objects a list of structs of text, and an
    object its JSON text.

    Raises:
        DataError: the file is empty or damaged, or none of its first lines is an object. Reading
            the batches can raise it as well.
    """
    batches = read_lines(file)
    first, lossy = next(batches)
    sample = [_object(line) for line in first.head(SAMPLE_LINES).to_list() if line.strip()]
    objects = [found for found in sample if isinstance(found, dict)]
    if not objects:
        message = (
            f"{file}: none of the first {len(sample)} lines is a JSON object: "
            "JSON Lines has one whole object on each line"
        )
        raise DataError(message, file=str(file))
    schema = _schema(objects)
    lines = chain([(first, lossy)], batches)
    return RawTable(file, tuple(schema), _batches(lines, schema))


def _object(line: str) -> _Object | str:
    """Returns the object on a line, or why there is none."""
    try:
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        if "\\ud" in line.lower():
            # JSON can write halves of a character, which no text can hold.
            _compact(found).encode()
    except (json.JSONDecodeError, RecursionError):
        return "not JSON"
    except UnicodeEncodeError:
        return "not Unicode text"
    return found if isinstance(found, dict) else "not a JSON object"


def _schema(objects: list[_Object]) -> dict[str, pl.DataType]:
    """Returns a type for each key: a list only where every value that is there is one."""
    lists: dict[str, list[object] | None] = {}
    for found in objects:
        for key, value in found.items():
            before = lists.setdefault(key, [])
            if value is None or before is None:
                continue
            if isinstance(value, list):
                before.extend(value[:1])
            else:
                lists[key] = None
    return {key: _list_type(first) if first else pl.String() for key, first in lists.items()}


def _list_type(values: list[object]) -> pl.DataType:
    objects = [value for value in values if isinstance(value, dict)]
    if len(objects) < len(values):
        return pl.List(pl.String())
    names = {name: pl.String() for found in objects for name in found}
    return pl.List(pl.Struct(names))


def _batches(
    lines: Iterator[tuple[pl.Series, bool]], schema: Mapping[str, pl.DataType]
) -> Iterator[RawBatch]:
    done = 0
    for batch, lossy in lines:
        texts = [line for line in batch.to_list() if line.strip()]
        yield _parsed(texts, schema, done, lossy=lossy)
        done += len(texts)


def _parsed(
    texts: list[str], schema: Mapping[str, pl.DataType], done: int, *, lossy: bool
) -> RawBatch:
    numbers: list[int] = []
    cells: dict[str, list[object]] = {key: [] for key in schema}
    broken: list[tuple[int, str, str, str]] = []
    for number, text in enumerate(texts, start=done + 1):
        found: _Object | str = "bytes that are not UTF-8"
        if not (lossy and UNDECODABLE in text):
            found = _object(text)
        if isinstance(found, str):
            broken.append((number, "", found, text))
            continue
        numbers.append(number)
        for key, dtype in schema.items():
            value = found.get(key)
            if value is not None and dtype != pl.String():
                value = _list(value, dtype)
            elif isinstance(value, dict | list):
                # Read once more, so that its numbers are numbers.
                value = _compact(json.loads(text)[key])
            cells[key].append(_text(value) if isinstance(value, bool) else value)
    rows = pl.DataFrame({ROW: numbers} | cells, schema={ROW: pl.Int64(), **schema})
    return RawBatch(rows, pl.DataFrame(broken, schema=BROKEN_SCHEMA, orient="row"))


def _list(value: object, dtype: pl.DataType) -> list[object]:
    """Brings a value to a list column's type; a lone value is a list of one."""
    values = value if isinstance(value, list) else [value]
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        names = [field.name for field in dtype.inner.fields]
        objects = [part for part in values if isinstance(part, dict)]
        return [{name: _text(part.get(name)) for name in names} for part in objects]
    return [_text(part) for part in values]


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _compact(value)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
