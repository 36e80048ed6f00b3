"""Makes a table of JSON objects: scalars as they are written, odd values as JSON text."""

import json
from collections.abc import Sequence

import numpy as np
import polars as pl

from recsys.data.reading.json_shape import JsonColumn, Shape
from recsys.data.reading.raw import ROW

JsonObject = dict[str, object]
_Cells = Sequence[object]

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_BROKEN_CHARACTER = "\\ud"


def parse_object(text: str) -> JsonObject | str:
    """Returns the object in a text, with numbers as text, or why there is none."""
    try:
        value = _DECODER.decode(text)
    except (json.JSONDecodeError, RecursionError):
        return "not JSON"
    return checked_object(text, value)


def checked_object(text: str, value: object) -> JsonObject | str:
    """Returns a value that is an object of whole characters, or what is wrong with it."""
    if _BROKEN_CHARACTER in text.lower():
        try:
            # JSON can write halves of a character, which no text can hold.
            compact(value).encode()
        except UnicodeEncodeError:
            return "not Unicode text"
    return value if isinstance(value, dict) else "not a JSON object"


def compact(value: object) -> str:
    """Returns JSON text without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def rows_frame(
    numbers: Sequence[int],
    texts: Sequence[str],
    objects: Sequence[JsonObject],
    columns: Sequence[JsonColumn],
) -> pl.DataFrame:
    """Returns `ROW` and the columns of some objects.

    Args:
        numbers: of the rows.
        texts: the objects as they are written.
        objects: the same with numbers as text, as `parse_object` returns them.
        columns: what the table has.
    """
    values = _Values(texts, objects)
    cells = [values.column(column) for column in columns]
    return pl.DataFrame([pl.Series(ROW, numbers, pl.Int64), *cells])


class _Values:
    """Takes columns out of objects; what lies above several columns is looked up once."""

    def __init__(self, texts: Sequence[str], objects: Sequence[JsonObject]) -> None:
        self._texts = texts
        self._written: dict[tuple[str, ...], _Cells] = {(): objects}
        self._typed: dict[tuple[str, ...], _Cells] = {}

    def column(self, column: JsonColumn) -> pl.Series:
        *above, key = column.path
        written = _field(_parents(self._written, tuple(above)), key)
        typed = written
        if _has_json(column.shape, nested=column.nested):
            if not self._typed:
                # Read once more, so that numbers in JSON text are numbers.
                self._typed[()] = [json.loads(text, parse_int=_whole) for text in self._texts]
            typed = _field(_parents(self._typed, tuple(above)), key)
        if column.nested:
            return _series(column.shape, written, typed).alias(column.name)
        return _text_series(column.shape, written, typed).alias(column.name)


def _field(parents: _Cells, key: str) -> list[object]:
    return [parent.get(key) if isinstance(parent, dict) else None for parent in parents]


def _parents(cache: dict[tuple[str, ...], _Cells], path: tuple[str, ...]) -> _Cells:
    if path not in cache:
        *above, key = path
        cache[path] = _field(_parents(cache, tuple(above)), key)
    return cache[path]


def _whole(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # Python converts only so many digits
        return float(digits)


def _has_json(shape: Shape, *, nested: bool) -> bool:
    """Says whether objects or lists become JSON text somewhere in a column."""
    if not nested:
        return not shape.is_scalar
    if shape.is_list:
        return shape.element is not None and _has_json(shape.element, nested=_nests(shape.element))
    return any(_has_json(field, nested=_nests(field)) for field in shape.fields.values())


def _nests(shape: Shape) -> bool:
    return shape.is_list or shape.is_record


def _series(shape: Shape, values: _Cells, typed: _Cells) -> pl.Series:
    """Returns values of one shape as a list, a struct or text.

    Args:
        shape: what was seen at the place of the values.
        values: the values, with numbers as text.
        typed: the same with numbers that are numbers, for JSON text.
    """
    if shape.is_list:
        return _list_series(shape, values, typed)
    if shape.is_record:
        return _struct_series(shape, values, typed)
    return _text_series(shape, values, typed)


def _text_series(shape: Shape, values: _Cells, typed: _Cells) -> pl.Series:
    if shape.is_scalar and not shape.seen_bool:
        return pl.Series(values, dtype=pl.String)
    texts = [
        value if value is None or isinstance(value, str) else compact(again)
        for value, again in zip(values, typed, strict=True)
    ]
    return pl.Series(texts, dtype=pl.String)


def _struct_series(shape: Shape, values: _Cells, typed: _Cells) -> pl.Series:
    fields = [
        _series(field, _field(values, key), _field(typed, key)).alias(key)
        for key, field in shape.fields.items()
    ]
    missing = pl.Series([value is None for value in values], dtype=pl.Boolean)
    struct = pl.DataFrame(fields).to_struct()
    return pl.select(pl.when(~missing).then(struct)).to_series() if missing.any() else struct


def _list_series(shape: Shape, values: _Cells, typed: _Cells) -> pl.Series:
    """Builds all elements at once, and groups them by the list that they belong to."""
    lists = pl.DataFrame({"row": range(len(values))}, schema={"row": pl.Int64()})
    lengths = [len(value) if isinstance(value, list) else 0 for value in values]
    element = Shape() if shape.element is None else shape.element
    inner = _series(element, _flat(values), _flat(typed))
    parts = pl.DataFrame([pl.Series("row", np.repeat(lists["row"], lengths)), inner.alias("part")])
    grouped = parts.group_by("row", maintain_order=True).agg("part")
    empty = pl.Series([value is not None for value in values], dtype=pl.Boolean)
    return (
        lists.join(grouped, on="row", how="left", maintain_order="left")
        .select(pl.when(empty).then(pl.col("part").fill_null(pl.lit([], pl.List(inner.dtype)))))
        .to_series()
    )


def _flat(values: _Cells) -> list[object]:
    return [part for value in values if isinstance(value, list) for part in value]
