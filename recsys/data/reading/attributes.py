"""Gives the columns that we do not know a sensible type, so that filters can use them."""

import re

import polars as pl

from recsys.data.events import TIME
from recsys.data.reading import cells
from recsys.data.reading.currency import currencies
from recsys.data.reading.literal import column as named
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.numbers import read_numbers
from recsys.data.reading.times import parse_times

_PLAIN = r"^-?((0|[1-9]\d*)(\.\d+)?([eE][+-]\d+|e\d+)?|inf)$"
"""Numbers as programs write them. `007` is a code, and so is `5E3`."""

_GROUPED = {True: r"^-?(0|[1-9][\d.]*)(,\d+)?$", False: r"^-?(0|[1-9][\d,]*)(\.\d+)?$"}
"""By `decimal_comma`: what may be a number with separators."""

_DATE = r"^(\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4})"
_BOOLEANS = {"true": True, "false": False}
_EXACT = 2.0**53
"""From this size on, floats do not hold every whole number."""

_NAMELESS = re.compile(r"__index_level_\d+__|Unnamed: \d+(\.\d+)?|column_\d+")


def is_nameless(column: str) -> bool:
    """Says whether a column is the index of a data frame, or one that nobody has named."""
    return _NAMELESS.fullmatch(column) is not None


def typed_attribute(column: pl.Series, mapping: FileMapping) -> pl.Series:
    """Returns an attribute as String, Boolean, Int64, Float64, `TIME` or List(String).

    The values decide, not the type that the file has: text becomes a number, a boolean or a time
    only if every value is one; numbers are Int64 if all of them are whole. A number with leading
    zeros is a code and stays text. A column without values is Null: another file may say more.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.List) and not dtype.inner.is_nested():
        return column.cast(pl.List(pl.String))
    read = cells.text(column.name, dtype, mapping).alias(column.name)
    # Under another name, as Polars takes `*` for all columns in operations on a series, too.
    texts = column.to_frame().select(read).to_series().alias("texts")
    if texts.null_count() == len(texts):
        return texts.cast(pl.Null).alias(column.name)
    return _typed(column, texts, mapping).alias(column.name)


def _typed(column: pl.Series, texts: pl.Series, mapping: FileMapping) -> pl.Series:
    dtype = column.dtype
    if dtype == pl.Boolean():
        return column
    if isinstance(dtype, pl.Datetime | pl.Date):
        return parse_times(column, mapping).utc
    if dtype.is_float():
        # By way of its text, 0.1 is the same number in every width.
        narrow = texts if dtype != pl.Float64() else column.set(texts.is_null(), None)
        return _whole_if_all(narrow.cast(pl.Float64))
    if dtype.is_numeric():
        return _plain_numbers(texts)
    return _typed_text(texts, mapping)


def _typed_text(texts: pl.Series, mapping: FileMapping) -> pl.Series:
    values = texts.drop_nulls()
    numbers = _numbers(texts, values, mapping.decimal_comma)
    if numbers is not None:
        return numbers
    lower = texts.str.to_lowercase()
    if lower.drop_nulls().is_in(list(_BOOLEANS)).all():
        return lower.replace_strict(_BOOLEANS, return_dtype=pl.Boolean)
    if values.str.contains(_DATE).all():
        times = parse_times(texts, mapping).utc
        if times.null_count() == texts.null_count():
            return times.cast(TIME)
    return texts


def _numbers(
    texts: pl.Series,
    values: pl.Series,
    decimal_comma: bool | None,  # noqa: FBT001 - passed on
) -> pl.Series | None:
    """Returns texts as numbers; None: not every value is a number beyond doubt."""
    if (
        not decimal_comma
        and values.str.contains(_PLAIN).all()
        and values.str.contains(r"\d").any()
    ):
        return _plain_numbers(texts)
    if not _may_be_numbers(values, decimal_comma):
        return None
    read = read_numbers(named(texts.name), decimal_comma=decimal_comma)
    numbers = texts.to_frame().select(read).to_series()
    return None if numbers.is_nan().any() else _whole_if_all(numbers)


def _may_be_numbers(values: pl.Series, decimal_comma: bool | None) -> bool:  # noqa: FBT001 - passed on
    """Says whether all values look like numbers of one form, or are prices in one currency."""
    if decimal_comma is not None and values.str.contains(_GROUPED[decimal_comma]).all():
        return True
    counts = currencies(values)
    return len(counts) == 1 and sum(counts.values()) == len(values)


def _plain_numbers(texts: pl.Series) -> pl.Series:
    """Returns Int64 or Float64; whole numbers that neither holds without loss stay text."""
    whole = texts.cast(pl.Int64, strict=False)
    if whole.null_count() == texts.null_count():
        return whole
    large = texts.filter(whole.is_null()).str.contains(r"^-?\d+$")
    return texts if large.any() else _whole_if_all(texts.cast(pl.Float64))


def _whole_if_all(numbers: pl.Series) -> pl.Series:
    """Returns Int64 if all numbers are whole, and so small that none has lost digits."""
    numbers = numbers.fill_nan(None)
    whole = (numbers == numbers.floor()) & (numbers.abs() < _EXACT)
    return numbers.cast(pl.Int64) if whole.drop_nulls().all() else numbers
