"""Reads numbers that people wrote: currencies, thousands, decimal commas, accounting signs."""

import re
from enum import Enum
from typing import Final

import polars as pl

from recsys.data.reading.currency import WITHOUT_DECIMALS, split_currency

AMBIGUOUS_NUMBER = "ambiguous number"
"""Reason: `1,299` is 1299 or 1.299, and no `decimal_comma` says which."""


class _Unclear(Enum):
    """A number that can be read in two ways."""

    TOKEN = 0


AMBIGUOUS: Final = _Unclear.TOKEN

_PLAIN_SIGNS = str.maketrans(
    dict.fromkeys("\u00a0\u2009\u202f\u2007", " ") | {"\u2212": "-", "\u2019": "'"}
)
_GROUPED = r"[1-9]\d{{0,2}}(?:{0}\d{{3}})+"
_INDIAN = r"[1-9]\d?(?:,\d{2})+,\d{3}"
_SPACED = re.compile(
    rf"^({_GROUPED.format(' ')}|{_GROUPED.format(chr(39))})(?:([.,])(\d*))?$", re.ASCII
)
_COMMA_DECIMAL = re.compile(rf"^({_GROUPED.format(r'[.]')}|\d*)(?:,(\d*))?$", re.ASCII)
_POINT_DECIMAL = re.compile(rf"^({_GROUPED.format(',')}|{_INDIAN}|\d*)(?:\.(\d*))?$", re.ASCII)
_ONE_GROUP = re.compile(r"^[1-9]\d{0,2}[.,]\d{3}$", re.ASCII)
_DECIMAL_COMMA = r"^[^,]*\d,\d{1,2}[^\d,.]*$"
"""Texts that show that commas are decimal, in whatever currency."""
_BOOLEANS = {"true": 1.0, "false": 0.0}


def read_number(written: str, *, decimal_comma: bool | None) -> float | _Unclear | None:
    """Returns the number that a text means; None: it means none.

    Args:
        written: `1,299.00`, `1.299,00 €`, `CHF 1'299.50`, `(12.50)`, `5-`, `true` ...
        decimal_comma: True: a comma is the decimal separator, and points group thousands; False:
            the other way round; None: the text itself must show it, or the number is
            `AMBIGUOUS`.
    """
    text = written.translate(_PLAIN_SIGNS).strip()
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    body, negative, currency = _bare(text)
    value = _value(body, decimal_comma, currency)
    if isinstance(value, float) and negative:
        return -value
    return value


def _bare(text: str) -> tuple[str, bool, str | None]:
    """Takes sign and currency off, in whatever order they stand; each may be there once."""
    negative = signed = False
    currency: str | None = None
    if text.startswith("(") and text.endswith(")"):
        text, negative, signed = text[1:-1].strip(), True, True
    while text:
        before = text
        if not signed and text[0] in "+-":
            negative, signed, text = text[0] == "-", True, text[1:].strip()
        elif not signed and text[-1] == "-":
            negative, signed, text = True, True, text[:-1].strip()
        elif currency is None:
            text, currency = split_currency(text)
            text = text.strip()
        if text == before:
            break
    return text, negative, currency


def _value(body: str, decimal_comma: bool | None, currency: str | None) -> float | _Unclear | None:  # noqa: FBT001 - passed on
    """Reads digits with their separators."""
    if " " in body or "'" in body:
        return _spaced(body, decimal_comma)
    if decimal_comma is None:
        if _ONE_GROUP.match(body):
            if currency in WITHOUT_DECIMALS:
                decimal_comma = "." in body
            elif "," in body:
                return AMBIGUOUS
        commas, points = body.count(","), body.count(".")
        if decimal_comma is None:
            both = bool(commas and points)
            last_comma = body.rfind(",") > body.rfind(".")
            decimal_comma = last_comma if both else commas == 1 or points > 1
    match = (_COMMA_DECIMAL if decimal_comma else _POINT_DECIMAL).match(body)
    if match is None or not (match[1] or match[2]):
        return None
    return float(f"{_digits(match[1]) or '0'}.{match[2] or '0'}")


def _spaced(body: str, decimal_comma: bool | None) -> float | None:  # noqa: FBT001 - passed on
    match = _SPACED.match(body)
    if match is None or (
        match[2] and decimal_comma is not None and (match[2] == ",") != decimal_comma
    ):
        return None
    return float(f"{_digits(match[1])}.{match[3] or '0'}")


def _digits(grouped: str) -> str:
    return re.sub(r"[., ']", "", grouped)


def read_numbers(written: pl.Expr, *, decimal_comma: bool | None) -> pl.Expr:
    """Returns Float64, null where the text is null, NaN where it is no finite number.

    Plain texts (`-1.5`, `1e3`) are read at once; only what is left is looked at value by value.
    """

    def read(texts: pl.Series) -> pl.Series:
        # As a series, since expressions that are used twice are computed twice.
        return _read_all(texts, decimal_comma)

    return written.map_batches(read, return_dtype=pl.Float64, is_elementwise=True)


def _read_all(texts: pl.Series, decimal_comma: bool | None) -> pl.Series:  # noqa: FBT001 - passed on
    plain = texts
    if decimal_comma:
        pointed = texts.str.contains(".", literal=True)
        plain = texts.set(pointed, None).str.replace(",", ".", literal=True)
    numbers = plain.cast(pl.Float64, strict=False)
    if numbers.null_count() > texts.null_count():
        unread = numbers.is_null()
        slow = _each(texts.set(~unread, None), decimal_comma)
        numbers = slow.zip_with(unread, numbers)
    bad = texts.is_not_null() & (numbers.is_null() | ~numbers.is_finite())
    if decimal_comma is None and texts.str.contains(_DECIMAL_COMMA).any():
        # Beside 12,50 nobody can tell whether 1.299 is 1299.
        bad |= _one_group(texts)
    return numbers.set(bad, float("nan")) if bad.any() else numbers


def _each(texts: pl.Series, decimal_comma: bool | None) -> pl.Series:  # noqa: FBT001 - passed on
    """Reads every different text once; null is what is no number."""
    values = texts.drop_nulls().unique()
    numbers = [read_number(text, decimal_comma=decimal_comma) for text in values.to_list()]
    known = [number if isinstance(number, float) else None for number in numbers]
    return texts.replace_strict(
        values, pl.Series(known, dtype=pl.Float64), default=None, return_dtype=pl.Float64
    )


def _one_group(texts: pl.Series) -> pl.Series:
    """Returns which texts are one to three digits, a point and three digits."""
    values = texts.drop_nulls().unique()
    values = values.filter(values.str.contains(r"\d\.\d{3}(\D|$)"))
    grouped = [text for text in values.to_list() if _is_one_group(text)]
    return texts.is_in(grouped).fill_null(value=False)


def _is_one_group(written: str) -> bool:
    body, _, currency = _bare(written.translate(_PLAIN_SIGNS).strip())
    return bool(_ONE_GROUP.match(body)) and currency not in WITHOUT_DECIMALS


def ambiguous(written: pl.Expr, *, decimal_comma: bool | None) -> pl.Expr:
    """Returns Boolean: the text is a number that can be read in two ways; null stays null."""

    def unclear(cells: pl.Series) -> pl.Series:
        values = cells.drop_nulls().unique()
        known = [
            read_number(text, decimal_comma=decimal_comma) is AMBIGUOUS
            or (decimal_comma is None and _is_one_group(text))
            for text in values.to_list()
        ]
        return cells.is_in(values.filter(pl.Series(known, dtype=pl.Boolean)).implode())

    return written.map_batches(unclear, return_dtype=pl.Boolean, is_elementwise=True)
