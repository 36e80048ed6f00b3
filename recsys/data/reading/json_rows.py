"""Makes a table of JSON objects: scalars as they are written, odd values as JSON text."""

import json
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from recsys.data.reading.json_shape import JsonColumn, Shape, column_type
from recsys.data.reading.raw import ROW

JsonObject = dict[str, object]
_Converter = Callable[[object, object], object]
_Parents = list[JsonObject | None]

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
    cells: dict[str, Sequence[object]] = {ROW: numbers}
    for column in columns:
        cells[column.name] = values.column(column)
    types = {column.name: column_type(column) for column in columns}
    return pl.DataFrame(cells, schema={ROW: pl.Int64(), **types})


class _Values:
    """Takes columns out of objects; what lies above several columns is looked up once."""

    def __init__(self, texts: Sequence[str], objects: Sequence[JsonObject]) -> None:
        self._texts = texts
        self._written: dict[tuple[str, ...], _Parents] = {(): list(objects)}
        self._typed: dict[tuple[str, ...], _Parents] = {}

    def column(self, column: JsonColumn) -> list[object]:
        *above, key = column.path
        written = _field(_parents(self._written, tuple(above)), key)
        if column.shape.is_scalar:
            if column.shape.seen_bool:
                return [_scalar(value) for value in written]
            return written
        convert = _converter(column.shape) if column.nested else _text
        if not _has_json(column.shape, nested=column.nested):
            return [None if value is None else convert(value, value) for value in written]
        if not self._typed:
            # Read once more, so that numbers in JSON text are numbers.
            self._typed[()] = [json.loads(text, parse_int=_whole) for text in self._texts]
        typed = _field(_parents(self._typed, tuple(above)), key)
        pairs = zip(written, typed, strict=True)
        return [None if value is None else convert(value, again) for value, again in pairs]


def _field(parents: _Parents, key: str) -> list[object]:
    return [None if parent is None else parent.get(key) for parent in parents]


def _parents(cache: dict[tuple[str, ...], _Parents], path: tuple[str, ...]) -> _Parents:
    if path not in cache:
        *above, key = path
        values = _field(_parents(cache, tuple(above)), key)
        cache[path] = [value if isinstance(value, dict) else None for value in values]
    return cache[path]


def _whole(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # Python converts only so many digits
        return float(digits)


def _scalar(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _text(value: object, typed: object) -> str | None:
    """Returns a value as text; `typed` is the same with numbers that are numbers."""
    if value is None or isinstance(value, str):
        return value
    return compact(typed)


def _has_json(shape: Shape, *, nested: bool) -> bool:
    """Says whether objects or lists become JSON text somewhere in a column."""
    if not nested:
        return not shape.is_scalar
    if shape.is_list:
        return shape.element is not None and _has_json(shape.element, nested=_nests(shape.element))
    return any(_has_json(field, nested=_nests(field)) for field in shape.fields.values())


def _nests(shape: Shape) -> bool:
    return shape.is_list or shape.is_record


def _converter(shape: Shape) -> _Converter:
    """Returns what brings values of a shape to its type."""
    if shape.is_list:
        return _list_converter(_text if shape.element is None else _converter(shape.element))
    if shape.is_record:
        return _record_converter({key: _converter(field) for key, field in shape.fields.items()})
    return _text


def _list_converter(inner: _Converter) -> _Converter:
    def convert(value: object, typed: object) -> object:
        if not (isinstance(value, list) and isinstance(typed, list)):
            return None
        return [inner(part, again) for part, again in zip(value, typed, strict=True)]

    return convert


def _record_converter(inner: Mapping[str, _Converter]) -> _Converter:
    def convert(value: object, typed: object) -> object:
        if not (isinstance(value, dict) and isinstance(typed, dict)):
            return None
        return {key: part(value.get(key), typed.get(key)) for key, part in inner.items()}

    return convert
