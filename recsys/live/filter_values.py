"""Kinds of columns, and the literals that may be compared with each."""

import math
import re
from datetime import UTC, datetime
from enum import StrEnum

import polars as pl

from recsys.data.events import TIME
from recsys.errors import InvalidFilterError
from recsys.live.filter_tokens import shown


class Kind(StrEnum):
    """What a column holds, in the words of an error."""

    NUMBER = "numbers"
    TEXT = "texts"
    FLAG = "flags"
    TIME = "times"
    LIST = "lists of texts"


NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")
INT64_LIMIT = 2**63
LIKE_LENGTH = 256
"""Characters of a LIKE pattern: keeps the regular expression behind it small."""


def kind_of(dtype: pl.DataType) -> Kind | None:
    """Returns the kind of a column, None for one that cannot be filtered."""
    if dtype.is_numeric():
        return Kind.NUMBER
    if dtype == pl.String:
        return Kind.TEXT
    if dtype == pl.Boolean:
        return Kind.FLAG
    if dtype == TIME:
        return Kind.TIME
    return Kind.LIST if dtype == pl.List(pl.String) else None


def number(text: str, position: int, *, negative: bool) -> int | float:
    """Returns a number as written: an int if it has neither point nor exponent and fits 64 bits.

    Raises:
        InvalidFilterError: not a number, or too large for a float.
    """
    if not NUMBER.fullmatch(text):
        raise InvalidFilterError(f"{shown(text)} is not a number", position)
    if text.isdigit() and int(text) < INT64_LIMIT:
        return -int(text) if negative else int(text)
    value = float(text)
    if not math.isfinite(value):
        raise InvalidFilterError(f"{shown(text)} is too large", position)
    return -value if negative else value


def time(text: str, position: int) -> datetime:
    """Returns an ISO 8601 time in UTC; one without an offset is UTC, a date is its midnight.

    Raises:
        InvalidFilterError: not such a time.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{shown(text)} is not a time such as '2026-01-31' or '2026-01-31T09:00:00Z'"
        raise InvalidFilterError(message, position) from None


def like_regex(pattern: str, escape: str, position: int) -> str:
    """Returns the regular expression of a LIKE pattern: `%` any text, `_` any one character.

    Raises:
        InvalidFilterError: the pattern is too long, or `escape` stands before another character
            than a wildcard or itself.
    """
    if len(pattern) > LIKE_LENGTH:
        raise InvalidFilterError(
            f"a LIKE pattern is longer than {LIKE_LENGTH} characters", position
        )
    parts: list[str] = []
    characters = iter(pattern)
    for char in characters:
        if escape and char == escape:
            literal = next(characters, "")
            if literal not in {"%", "_", escape}:
                message = f"{shown(escape)} escapes nothing in {shown(pattern)}"
                raise InvalidFilterError(message, position)
            parts.append(pl.escape_regex(literal))
        else:
            parts.append({"%": ".*", "_": "."}.get(char) or pl.escape_regex(char))
    return _anchored(parts)


def _anchored(parts: list[str]) -> str:
    """Joins the parts; an open end needs no anchor and no `.*`, which searches far faster."""
    start, end = 0, len(parts)
    while start < end and parts[start] == ".*":
        start += 1
    while end > start and parts[end - 1] == ".*":
        end -= 1
    head = r"\A" if start == 0 else ""
    tail = r"\z" if end == len(parts) else ""
    return f"{head}(?s:{''.join(parts[start:end])}){tail}"
