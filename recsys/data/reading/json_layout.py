"""Tells how a JSON file holds its records: one a line, in a list, or in a list in an object."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import cast

from recsys.data.reading.json_cursor import JsonCursor
from recsys.data.reading.json_rows import parse_object
from recsys.errors import DataError

ROW_CHARACTERS = 16 << 20
"""A longer object is no row: its rows are in a list that it holds."""

Value = tuple[str, object]
"""A value as it is written, and the same with numbers as text."""


class Layout(Enum):
    """Where the records of a file are."""

    LINES = "lines"
    """One object a line."""
    VALUES = "values"
    """Objects one after another, over several lines."""
    ARRAY = "array"
    """One list."""
    INSIDE = "inside"
    """A list within an object."""


@dataclass(frozen=True, slots=True)
class Records:
    """Where the records of one file are."""

    layout: Layout
    path: tuple[str, ...] = ()
    """Of `INSIDE`: the keys that lead to the list."""
    notes: tuple[str, ...] = ()


def find_records(
    file: Path, start: str, open_cursor: Callable[[], JsonCursor], *, whole: bool
) -> Records:
    """Returns where the records of a JSON file are.

    Args:
        file: named in errors; `.json` may hold one object with a list of records.
        start: the first characters.
        open_cursor: begins to read the file.
        whole: the start is the whole file.

    Raises:
        DataError: the file is one object with several lists, or no whole JSON.
    """
    text = start.lstrip(" \t\r\n\ufeff")
    line, end, rest = text.partition("\n")
    several = bool(rest.strip()) or not whole
    line_is_value = bool(end or whole) and parse_object(line) != "not JSON"
    if text.startswith("[") and not (line_is_value and _has_object_line(rest)):
        return Records(Layout.ARRAY)
    if not text.startswith("{") or (line_is_value and several):
        return Records(Layout.LINES)
    if line_is_value:
        return _single(file, open_cursor) or Records(Layout.LINES)
    return _over_lines(file, rest, open_cursor)


def _has_object_line(text: str) -> bool:
    return any(isinstance(parse_object(line), dict) for line in text.split("\n"))


def _over_lines(file: Path, rest: str, open_cursor: Callable[[], JsonCursor]) -> Records:
    """Tells objects over several lines from lines of which the first is broken."""
    cursor = open_cursor()
    cursor.peek()
    first = cursor.line
    try:
        one = cursor.value(ROW_CHARACTERS)
        ends = one is not None and not cursor.peek()
    except DataError as error:
        near = int(error.metadata["line"]) <= first + (error.metadata["column"] == "1")
        if near and _has_object_line(rest):
            return Records(Layout.LINES)
        raise
    if one is None or ends:
        return _single(file, open_cursor) or Records(Layout.VALUES)
    return Records(Layout.VALUES)


def _single(file: Path, open_cursor: Callable[[], JsonCursor]) -> Records | None:
    """Returns the list of records that the only object of a `.json` file holds; None: no list."""
    if ".json" not in {suffix.lower() for suffix in file.suffixes}:
        return None
    lists = [path for path in _lists(open_cursor(), ()) if path]
    top = [path for path in lists if len(path) == 1] or lists
    names = [".".join(path) for path in top]
    if len(names) > 1:
        message = (
            f"{file}: is one object with several lists of objects: {', '.join(names)}. Say which "
            f'holds the rows, in the mapping file: records = "{names[0]}". If the whole object is '
            "one row, let the name of the file end in .jsonl"
        )
        raise DataError(message, file=str(file))
    if not names:
        return None
    return Records(Layout.INSIDE, top[0], (f"the rows are the objects of {names[0]!r}",))


def _lists(cursor: JsonCursor, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yields the keys that lead to lists of objects, at most one level below the top."""
    for key in _members(cursor):
        sign = cursor.peek()
        path = (*above, key)
        if sign == "[":
            if any([isinstance(value, dict) for _, value in _elements(cursor)]):  # noqa: C419
                yield path
        elif sign == "{" and not above:
            yield from _lists(cursor, path)
        else:
            cursor.value()


def walk(cursor: JsonCursor, records: Records) -> Iterator[Value]:
    """Yields the records of a document.

    Raises:
        DataError: the text is no whole JSON, or has no list under the keys.
    """
    has_list = False
    while sign := cursor.peek():
        if records.layout is Layout.VALUES:
            yield _value(cursor)
        elif records.layout is Layout.ARRAY:
            yield from _elements(cursor)
        elif sign == "[":
            raise cursor.no_records("is a list itself: leave the setting records out")
        else:
            has_list |= yield from _inside(cursor, records.path)
    if records.layout is Layout.INSIDE and not has_list:
        name = ".".join(records.path)
        raise cursor.no_records(f"has no list under {name!r}, which the setting records names")


def _inside(cursor: JsonCursor, path: tuple[str, ...]) -> Generator[Value, None, bool]:
    has_list = False
    for key in _members(cursor):
        sign = cursor.peek()
        if key == ".".join(path) and sign == "[":
            yield from _elements(cursor)
            has_list = True
        elif key == path[0] and sign == "{":
            has_list |= yield from _inside(cursor, path[1:] or path)
        else:
            cursor.value()
    return has_list


def _members(cursor: JsonCursor) -> Iterator[str]:
    """Yields the keys of an object; whoever takes one moves behind its value."""
    cursor.take("{")
    if cursor.peek() == "}":
        cursor.take("}")
        return
    while True:
        if cursor.peek() != '"':
            raise cursor.error("a key in quotes is expected")
        _, key = _value(cursor)
        cursor.take(":")
        yield str(key)
        if cursor.take(",}") == "}":
            return


def _elements(cursor: JsonCursor) -> Iterator[Value]:
    cursor.take("[")
    if cursor.peek() == "]":
        cursor.take("]")
        return
    while True:
        yield _value(cursor)
        if cursor.take(",]") == "]":
            return


def _value(cursor: JsonCursor) -> Value:
    # Without a limit there always is a value.
    return cast("Value", cursor.value())
