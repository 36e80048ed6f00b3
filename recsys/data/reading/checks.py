"""The rules that a row must keep: each names its field, its reason and the offending value."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from recsys.data.reading.cells import CONTROL, MAX_ID_BYTES
from recsys.data.reading.ids import marked_for, unmarked
from recsys.data.reading.raw import ROW


@dataclass(frozen=True, slots=True)
class Check:
    """One way in which a row can be wrong."""

    field: str
    reason: str
    fails: pl.Expr
    """Boolean; null counts as no failure."""
    value: pl.Expr
    """What to show of a row that fails."""


def id_checks(field: str) -> list[Check]:
    """Returns the rules for an id that is there."""
    cell = pl.col(field)
    lost = [
        Check(field, reason, fails, unmarked(cell)) for reason, fails in marked_for(cell).items()
    ]
    return [
        *lost,
        Check(field, "control characters in an id", cell.str.contains(CONTROL), cell),
        Check(
            field,
            f"id longer than {MAX_ID_BYTES} bytes",
            cell.str.len_bytes() > MAX_ID_BYTES,
            cell,
        ),
    ]


def sift(rows: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts the rows that keep every rule from the ones that break one.

    Returns:
        The good rows, and `BROKEN_SCHEMA` rows with the first rule that each bad row breaks.
    """
    failing = pl.coalesce(
        pl.when(check.fails).then(pl.lit(place, pl.UInt8)) for place, check in enumerate(checks)
    )
    codes = rows.select(failing.alias("code")).to_series()
    if codes.null_count() == len(codes):
        return rows, broken_rows(rows.head(0), checks, codes.head(0))
    bad = codes.is_not_null()
    return rows.filter(~bad), broken_rows(rows.filter(bad), checks, codes.filter(bad))


def broken_rows(rows: pl.DataFrame, checks: Sequence[Check], codes: pl.Series) -> pl.DataFrame:
    """Explains rows by the place of the rule that each one breaks."""
    code = pl.col("code")
    value = pl.coalesce(
        pl.lit(None, pl.String),
        *(
            pl.when(code == place).then(check.value.cast(pl.String))
            for place, check in enumerate(checks)
        ),
    )
    fields = {place: check.field for place, check in enumerate(checks)}
    reasons = {place: check.reason for place, check in enumerate(checks)}
    return rows.with_columns(code=codes).select(
        pl.col(ROW),
        field=code.replace_strict(fields, return_dtype=pl.String),
        reason=code.replace_strict(reasons, return_dtype=pl.String),
        value=value,
    )
