"""Reads JSON Lines: one object a line, numbers kept exactly as they are written."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import polars as pl

from recsys.data.lines import UNDECODABLE, read_lines
from recsys.data.raw import BROKEN_SCHEMA, ROW, RawBatch, RawTable
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
        message = f"{file}: none of the first {len(sample)} lines is a JSON object"
        raise DataError(message, file=str(file))
    schema = _schema(objects)
    lines = chain([(first, lossy)], batches)
    return RawTable(file, tuple(schema), _batches(lines, schema))


def _object(line: str) -> _Object | str:
    """Returns the object on a line, or why there is none."""
    try:
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        return f"not JSON ({error})" if isinstance(error, json.JSONDecodeError) else "too deep"
    return found if isinstance(found, dict) else "not a JSON object"


def _schema(objects: list[_Object]) -> dict[str, pl.DataType]:
    schema: dict[str, pl.DataType] = {}
    for found in objects:
        for key, value in found.items():
            if key not in schema or (isinstance(value, list) and schema[key] == pl.String()):
                schema[key] = pl.String()
                if isinstance(value, list) and value:
                    schema[key] = _list_type(value)
    return schema


def _list_type(values: list[object]) -> pl.DataType:
    first = values[0]
    if isinstance(first, dict):
        return pl.List(pl.Struct(dict.fromkeys(first, pl.String)))
    return pl.List(pl.String())


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
            plain = value is None or isinstance(value, str)
            fits = plain and dtype == pl.String()
            cells[key].append(value if fits else _fitted(value, dtype))
    rows = pl.DataFrame({ROW: numbers} | cells, schema={ROW: pl.Int64(), **schema})
    return RawBatch(rows, pl.DataFrame(broken, schema=BROKEN_SCHEMA, orient="row"))


def _fitted(value: object, dtype: pl.DataType) -> object:
    """Brings a value to its column's type; JSON text where a text column meets a structure."""
    if value is None:
        return None
    if not isinstance(dtype, pl.List):
        return _text(value)
    values = value if isinstance(value, list) else [value]
    if isinstance(dtype.inner, pl.Struct):
        names = [field.name for field in dtype.inner.fields]
        objects = [part for part in values if isinstance(part, dict)]
        return [{name: _text(part.get(name)) for name in names} for part in objects]
    return [_text(part) for part in values]


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
