"""Reads ids: whole numbers written as decimals, and numbers that lost digits on their way."""

import polars as pl

LOST_DIGITS = "id has lost digits: a spreadsheet or a column of decimals rounded it"
NOT_WHOLE = "id is no whole number, but the ids before it in the file are"

_MARKS = {LOST_DIGITS: "\x1a\x01", NOT_WHOLE: "\x1a\x02"}
"""Reason -> what an id that must be rejected for it begins with; no good id begins so."""

WHOLE = r"^-?\d+(\.0+)?$"
DECIMAL = r"^(-?\d+)\.0+$"
EXPONENT = r"^-?\d([.,]\d+[eE]\+?|[eE]\+)\d+$"
"""How spreadsheets and data frames write numbers that do not fit."""
_EXACT: dict[pl.DataType, float] = {
    pl.Float64(): 2.0**53,
    pl.Float32(): 2.0**24,
    pl.Float16(): 2.0**11,
}
"""From these sizes on, floats do not hold every whole number."""


def as_id(written: pl.Expr, cell: pl.Expr, dtype: pl.DataType, *, whole: bool) -> pl.Expr:
    """Returns ids from their texts; the ones to reject are marked, for `marked_for`.

    Args:
        written: the texts, trimmed.
        cell: the column as it is.
        dtype: its type.
        whole: ids are whole numbers: `17850.0` is `17850`.
    """
    if dtype in _EXACT:
        lost = cell.abs() >= _EXACT[dtype]
        read = written.str.replace(DECIMAL, "$1") if whole else written
        return _marked(read, written, lost, LOST_DIGITS)

    def read_texts(texts: pl.Series) -> pl.Series:
        return _read_texts(texts, whole=whole, exact=dtype != pl.String())

    return written.map_batches(read_texts, return_dtype=pl.String, is_elementwise=True)


def _read_texts(texts: pl.Series, *, whole: bool, exact: bool) -> pl.Series:
    """Reads texts; `exact`: they come from numbers that cannot have lost digits."""
    special = texts.str.contains("[+.,]")
    if not special.any():
        return texts
    odd = texts.set(~special, None)
    lost = odd.str.contains(EXPONENT)
    if not exact:
        # A decimal place of 0 comes from floats, which do not hold all large numbers.
        large = odd.set(~odd.str.contains(r"^-?\d{16,}\.0$"), None).cast(pl.Float64)
        lost |= (large.abs() >= _EXACT[pl.Float64()]).fill_null(value=False)
    read = texts.str.replace(DECIMAL, "$1") if whole else texts
    return (_MARKS[LOST_DIGITS] + texts).zip_with(lost.fill_null(value=False), read)


def only_whole(ids: pl.Expr) -> pl.Expr:
    """Marks the ids that are no whole numbers, where the file's first rows had no others."""
    marked = ids.str.starts_with("\x1a")
    return _marked(ids, ids, ~marked & ~ids.str.contains(WHOLE), NOT_WHOLE)


def _marked(read: pl.Expr, written: pl.Expr, wrong: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(wrong).then(_MARKS[reason] + written).otherwise(read)


def unmarked(ids: pl.Expr) -> pl.Expr:
    """Returns ids as the file has them."""
    return ids.str.replace("^\x1a[\x01\x02]", "")


def marked_for(ids: pl.Expr) -> dict[str, pl.Expr]:
    """Returns reason -> whether an id must be rejected for it."""
    return {reason: ids.str.starts_with(mark) for reason, mark in _MARKS.items()}
